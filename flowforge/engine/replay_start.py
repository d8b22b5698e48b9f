"""Executions that do others again: from which step, and with what was recorded before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.db import executions_store as store
from flowforge.db.executions_store import EventContext
from flowforge.engine.plans import Plans, Version
from flowforge.engine.recorded_outputs import recorded_outputs
from flowforge.language.plan import Step

if TYPE_CHECKING:
    from flowforge.engine.loaded_execution import LoadedExecution


@dataclass(slots=True)
class Replay:
    """Which execution is done again, from which step (None: its start), with what was recorded before it."""

    execution_id: UUID
    step: Step | None
    outputs: dict[str, Any] = field(default_factory=dict)


def replay_in(context: EventContext, version: Version) -> Replay | None:
    """What an event asks to do again; one that only names a version, a draft that is tried, does nothing again."""
    if context.replay is None or "executionId" not in context.replay:
        return None
    from_step = context.replay["fromStep"]
    step = version.plan.step(from_step) if from_step is not None else None
    return Replay(UUID(context.replay["executionId"]), step)


def wanted_version(context: EventContext) -> UUID | None:
    """The version its execution shall be pinned to; None for a workflow that was never saved here."""
    replayed = (context.replay or {}).get("versionId")
    return UUID(replayed) if replayed else context.version_id


def may_run(context: EventContext) -> bool:
    """A replay is asked for by hand, so a disabled workflow is no hindrance."""
    return bool(context.workflow_enabled) or (context.replay is not None and context.workflow_enabled is not None)


def recall_replays(connection: Connection, executions: Iterable[LoadedExecution]) -> None:
    """Of executions that were held back: what their events asked for."""
    by_event = {one.event_id: one for one in executions if one.event_id is not None}
    for event_id, context in store.event_contexts(connection, list(by_event)).items():
        one = by_event[event_id]
        one.replay = replay_in(context, one.version)


def load_recorded(connection: Connection, plans: Plans, executions: Iterable[LoadedExecution]) -> None:
    """The outputs of the steps before those that replays begin with."""
    replays = [(one, one.replay, one.replay.step) for one in executions if one.replay and one.replay.step]
    if not replays:
        return
    known = recorded_outputs(connection, plans, {replay.execution_id for _, replay, _ in replays})
    for one, replay, step in replays:
        replay.outputs = known.before(one.version.plan, step, replay.execution_id)
