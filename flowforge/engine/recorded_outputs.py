"""Outputs that earlier executions have recorded, for the executions that replay them."""

from __future__ import annotations

from collections.abc import Iterable

from flowforge.db import events_store, executions_store
from flowforge.db.engine import Connection
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.engine.plans import Plans
from flowforge.engine.replay import Replay, replay_in
from flowforge.jsonio import JsonObject
from flowforge.language.plan import Plan, Step


def recall_replays(connection: Connection, executions: Iterable[LoadedExecution]) -> None:
    """Reads again which replays the events of held executions requested."""
    by_event = {execution.event_id: execution for execution in executions if execution.event_id is not None}
    for event_id, context in events_store.event_contexts(connection, by_event).items():
        execution = by_event[event_id]
        execution.replay = replay_in(context, execution.version)


def load_recorded(connection: Connection, plans: Plans, executions: Iterable[LoadedExecution]) -> None:
    """Gives replays the outputs of the steps before the one with which they begin."""
    replays = [(execution, execution.replay) for execution in executions if execution.replay and execution.replay.step]
    if not replays:
        return
    recorded = executions_store.recorded_outputs(connection, {replay.execution_id for _, replay in replays})
    versions = plans.get(connection, {earlier.version_id for earlier in recorded.values() if earlier.version_id})
    for execution, replay in replays:
        earlier = recorded.get(replay.execution_id)
        if earlier is not None and earlier.version_id in versions:
            _restore(replay, execution.version.plan, earlier.outputs, versions[earlier.version_id].plan)


def _restore(replay: Replay, plan: Plan, outputs: JsonObject, recorded_by: Plan) -> None:
    assert replay.step is not None
    replay.outputs = _translated(outputs, recorded_by, _steps_before(plan, replay.step))


def _steps_before(plan: Plan, step: Step) -> list[Step]:
    return [earlier for earlier in plan.steps if earlier.index < step.index]


def _translated(outputs: JsonObject, recorded_by: Plan, steps: Iterable[Step]) -> JsonObject:
    """Outputs under the keys of these steps: between versions a step keeps its id and its type, not its number."""
    old_keys = {(step.id, step.type): step.key for step in recorded_by.steps if step.key in outputs}
    return {step.key: outputs[old_keys[step.id, step.type]] for step in steps if (step.id, step.type) in old_keys}
