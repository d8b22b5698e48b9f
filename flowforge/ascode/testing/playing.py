"""Play of a scenario in memory: the product's own state machine, with recorded outputs instead of the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flowforge import jsonio
from flowforge.ascode.testing.scenario import Recorded, Scenario
from flowforge.connectors.catalog import Catalog, UnknownAction
from flowforge.connectors.sdk import ConnectorError
from flowforge.execution.commands import CallWorkflow, StartStep, Wait
from flowforge.execution.retry import Failure
from flowforge.execution.simulator import Due, Simulation
from flowforge.execution.state import Frame, StepEnded
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.resolving import VARIABLES, ExpressionError, resolve, workflow_root
from flowforge.language.plan import Plan, Step
from flowforge.workflows.credentials import masked_secrets

MOST_STEPS = 100_000
"""Attempts, waits and calls of one test."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_WORKFLOW_ID, _EXECUTION_ID = UUID(int=1), UUID(int=2)

Path = tuple[int, ...]
"""Positions of the items and lanes around a step, the outermost first."""


class CannotGoOn(Exception):
    """The scenario does not say what happens next; the text says what is missing."""


@dataclass(slots=True)
class Played:
    """The outcome of a scenario. Steps by id; each list is in the order of the items around the step."""

    status: str
    result: Any
    error: Mapping[str, Any] | None
    response: Any
    outputs: dict[str, list[Any]] = field(default_factory=dict)
    calls: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def ran(self) -> set[str]:
        failed = {str(self.error["step"])} if self.error and self.error.get("step") else set()
        return self.outputs.keys() | self.calls.keys() | failed


def play(plan: Plan, name: str, scenario: Scenario, catalog: Catalog) -> Played:
    """`name` is the workflow's. Raises CannotGoOn."""
    return _Player(plan, name, scenario, catalog).play()


class _Player:
    def __init__(self, plan: Plan, name: str, scenario: Scenario, catalog: Catalog) -> None:
        self._plan = plan
        self._catalog = catalog
        self._now = scenario.now
        self._deadline = _deadline(scenario.now, plan.settings.timeout)
        self._recorded = _by_index(plan, scenario)
        self._calls: dict[str, dict[Path, Any]] = {}
        self._around: JsonObject = {
            "workflow": workflow_root(_WORKFLOW_ID, name, plan.settings.time_zone),
            "execution": {"id": str(_EXECUTION_ID)},
            "now": self._now,
            VARIABLES: scenario.vars,
            "resume": _links(plan),
            **masked_secrets([step.config for step in plan.steps]),
        }
        self._simulation = Simulation(plan, scenario.trigger, self._around, clock=lambda: self._now)

    def play(self) -> Played:
        simulation = self._simulation
        for _ in range(MOST_STEPS):
            if not simulation.due:
                return self._summarise()
            due = min(simulation.due, key=self._time_of)
            if self._time_of(due) > self._deadline:
                simulation.fail(simulation.run.why_overdue)
                continue
            simulation.due.remove(due)
            self._now = self._around["now"] = max(self._now, self._time_of(due))
            simulation.end(self._end_of(due))
        raise CannotGoOn(f"the execution does not end within {MOST_STEPS:,} steps")

    def _time_of(self, due: Due) -> datetime:
        """The time at which it ends: a recorded step ends at once, a wait when it is due."""
        what = due.what
        if isinstance(what, CallWorkflow) or (isinstance(what, Wait) and self._is_answered(due, what)):
            return self._now
        return what.due_at or self._now

    def _is_answered(self, due: Due, wait: Wait) -> bool:
        recorded = self._record_of(due)
        return wait.kind in ("resume", "approval") and not (recorded and recorded.timed_out)

    def _end_of(self, due: Due) -> StepEnded:
        try:
            output = self._output_of(due)
        except (ConnectorError, _Fails) as error:
            failure = Failure(str(error), error.permanent)
        except (ExpressionError, UnknownAction) as error:
            failure = Failure(str(error), permanent=True)
        else:
            return StepEnded(due.step.index, due.attempt, due.what.iteration, output)
        return StepEnded(due.step.index, due.attempt, due.what.iteration, failure=failure)

    def _output_of(self, due: Due) -> JsonObject:
        """Raises what the step fails with, and CannotGoOn."""
        recorded = self._record_of(due)
        match due.what:
            case StartStep():
                return self._output_of_action(due, recorded)
            case CallWorkflow() as call:
                self._note_call(due, {"workflowId": str(call.workflow_id), "payload": call.payload})
                if recorded is None and not call.awaited:
                    return {"executionId": str(_EXECUTION_ID)}
                return self._recorded_output(due, recorded)
            case Wait(kind="time" | "continue"):
                return {} if recorded is None else self._recorded_output(due, recorded)
            case Wait() as wait:
                return self._output_of_wait(due, wait, recorded)

    def _output_of_action(self, due: Due, recorded: Recorded | None) -> JsonObject:
        step = due.step
        connector = self._catalog.get(step.type)
        given = connector.given(step.config)
        resolved = partial(resolve, scope=self._scope(due), step=step.id, field="config")
        self._note_call(due, resolved(given))
        parsed = connector.parse(resolved(connector.separate(given)))
        if recorded is None and connector.computes is not None:
            output: JsonObject = connector.computes(parsed)
            return output
        return self._recorded_output(due, recorded)

    def _output_of_wait(self, due: Due, wait: Wait, recorded: Recorded | None) -> JsonObject:
        if recorded is not None and recorded.timed_out:
            if wait.fails_when_due:
                raise _Fails("nobody came within the time limit", permanent=True)
            return {"timedOut": True}
        answer = {"resumedAt": jsonio.format_time(self._now), **({"comment": None} if wait.kind == "approval" else {})}
        return answer | self._recorded_output(due, recorded)

    def _recorded_output(self, due: Due, recorded: Recorded | None) -> JsonObject:
        step = due.step
        if recorded is None:
            raise CannotGoOn(f"step '{step.id}' ({step.type}) runs, and the test has no output for it under 'steps'")
        if recorded.error is not None:
            own = self._recorded[step.index]
            raise _Fails(recorded.error, permanent=_without_items(own, self._path_of(due)).attempts is None)
        if recorded.timed_out:
            raise CannotGoOn(f"step '{step.id}' waits for nobody; timedOut has no meaning for it")
        try:
            output = resolve(recorded.output, self._scope(due), step=step.id, field="output")
        except ExpressionError as error:
            raise CannotGoOn(f"the output recorded for it cannot be computed: {error}") from error
        if not isinstance(output, dict):
            raise CannotGoOn(f"the output recorded for step '{step.id}' is not an object")
        return output

    def _record_of(self, due: Due) -> Recorded | None:
        recorded = self._recorded.get(due.step.index)
        if recorded is None:
            return None
        found = _without_items(recorded, self._path_of(due))
        while found.attempts is not None:
            found = found.attempts[min(due.attempt, len(found.attempts)) - 1]
        return found

    def _scope(self, due: Due) -> JsonObject:
        return {**due.scope, "now": self._now}

    def _note_call(self, due: Due, config: Any) -> None:
        """Note a call; of several attempts the last one stays."""
        self._calls.setdefault(due.step.id, {})[self._path_of(due)] = config

    def _path_of(self, due: Due) -> Path:
        return self._items_around(self._simulation.run.frames[due.what.iteration])

    def _items_around(self, frame: Frame) -> Path:
        if frame.block is None:
            return ()
        around = self._items_around(self._simulation.run.frames[frame.block[0]])
        block = self._plan.step(frame.block[1])
        in_loop = block is not None and block.block is not None and block.block.loop is not None
        return (*around, frame.position) if in_loop else around

    def _summarise(self) -> Played:
        simulation = self._simulation
        answer = simulation.response
        response = None if answer is None else {"status": answer.status, "headers": answer.headers, "body": answer.body}
        outputs: dict[str, dict[Path, Any]] = {}
        for frame in simulation.run.frames.values():
            path = self._items_around(frame)
            for key, output in frame.outputs.items():
                step = next(step for step in self._plan.steps if step.key == key)
                outputs.setdefault(step.id, {})[path] = output
        return Played(
            simulation.status.value,
            _as_plain(simulation.result),
            simulation.error,
            _as_plain(response),
            _in_order(outputs),
            _in_order(self._calls),
        )


def _deadline(begun: datetime, limit: float | None) -> datetime:
    """The deadline of an execution that began at `began`; what happens at that very moment is still in time."""
    try:
        return _NEVER if limit is None else begun + timedelta(seconds=limit)
    except OverflowError:
        return _NEVER


class _Fails(Exception):
    """The step fails as the scenario says."""

    def __init__(self, message: str, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


def _by_index(plan: Plan, scenario: Scenario) -> dict[int, Recorded]:
    names = plan.names()
    return {names[name]: recorded for name, recorded in scenario.steps.items() if name in names}


def _without_items(recorded: Recorded, path: Path) -> Recorded:
    """The recording for the items at that path. Raises CannotGoOn."""
    for position in path:
        if recorded.items is None:
            return recorded
        if position >= len(recorded.items):
            raise CannotGoOn(f"a loop goes on to item {position}, and 'items' has {len(recorded.items)} (from 0)")
        recorded = recorded.items[position]
    if recorded.items is not None:
        raise CannotGoOn("'items' are recorded for a step that is in no loop, or in fewer loops")
    return recorded


def _links(plan: Plan) -> dict[str, Mapping[str, str]]:
    def of(step: Step) -> dict[str, str]:
        url = f"https://flowforge.example/resume/{step.id}"
        return {"url": url, "approveUrl": f"{url}?approve", "rejectUrl": f"{url}?reject"}

    return {step.id: of(step) for step in plan.resumable}


def _in_order(found: Mapping[str, Mapping[Path, Any]]) -> dict[str, list[Any]]:
    return {name: [_as_plain(by_path[path]) for path in sorted(by_path)] for name, by_path in found.items()}


def _as_plain(value: Any) -> Any:
    """Convert to what would be stored and shown: times are text."""
    return jsonio.loads(jsonio.dumps(value))
