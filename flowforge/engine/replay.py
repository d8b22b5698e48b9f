"""Replays: executions that do an earlier one again, from its start or from a step on."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from flowforge.db.events_store import EventContext
from flowforge.engine.plans import Version
from flowforge.jsonio import JsonObject
from flowforge.language.plan import Step


@dataclass(slots=True)
class Replay:
    """The execution that is done again, and the first step to run (None: from its start)."""

    execution_id: UUID
    step: Step | None
    outputs: JsonObject = field(default_factory=dict)
    """Outputs that were recorded before that step, by step key."""


def replay_in(context: EventContext, version: Version) -> Replay | None:
    """The replay that an event requests. A request that only names a version, to try a draft, repeats nothing."""
    if context.replay is None or "executionId" not in context.replay:
        return None
    from_step = context.replay["fromStep"]
    step = version.plan.step(from_step) if from_step is not None else None
    return Replay(UUID(context.replay["executionId"]), step)


def wanted_version(context: EventContext) -> UUID | None:
    """The version to which the event's execution is pinned; None for a workflow that was never saved here."""
    replayed = (context.replay or {}).get("versionId")
    return UUID(replayed) if replayed else context.version_id


def may_run(context: EventContext) -> bool:
    """Whether the event leads to an execution. A replay runs even if the workflow is disabled: a person wants it."""
    return bool(context.workflow_enabled) or (context.replay is not None and context.workflow_enabled is not None)
