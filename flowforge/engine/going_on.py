"""An executor goes on with executions by itself: it works out where the success of a step leads, stores that with the
result in one statement, and claims the steps that follow in it.

It knows all that it takes: what a step sees is what its execution has, as long as it runs one step after the other. The
rest is the orchestrator's: failures, blocks with frames, calls of workflows, large data, and executions that somebody
awaits, or that a limit does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from flowforge import events, jsonio
from flowforge.bus import Message
from flowforge.db import going_on_store
from flowforge.db.attempt_rows import AttemptKey, Lease
from flowforge.db.going_on_store import GoneOn
from flowforge.db.variables_store import NO_VALUES
from flowforge.engine.finished import Finished
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.engine.plans import Version
from flowforge.engine.run_factory import RunFactory
from flowforge.engine.start_messages import Admit
from flowforge.engine.step_runner import StepRun
from flowforge.events import ExecutionStart
from flowforge.execution.commands import Effects
from flowforge.execution.state import ROOT, Frame, Status, StepEnded
from flowforge.wiring import Backends, log_topic

_SMALL_BYTES = 64 * 1024
"""Of a step's message, and of its result."""
MOST_AT_ONCE = 100
"""Executions that go on in one statement."""
_KEPT_OTHERWISE = re.compile(rb"\\u0000|[:,\[]-?[0-9.]+e\+?[0-9]|[:,\[]-0\.0[,\]}]")
"""What PostgreSQL keeps in another form, NUL, numbers from 1e16 on and -0.0: the next step is to see that."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step that is claimed: its message, and the version of its workflow."""

    message: Message
    version: Version


@dataclass(frozen=True, slots=True)
class OwnResult:
    """A success, and where it leads its execution."""

    key: AttemptKey
    result: Message
    execution: LoadedExecution
    gone_on: GoneOn

    def messages(self) -> list[Message]:
        """What is published once the execution has gone on."""
        following = [start.message for start in self.execution.start_messages]
        if self.execution.is_over:
            return [self.result, self.execution.announcement(self.execution.run.status)]
        return [self.result, *following]

    def next_steps(self) -> list[NextStep]:
        """The steps that are claimed."""
        version = self.execution.version
        return [NextStep(start.message, version) for start in self.execution.start_messages if start.is_claimed]


class GoingOn:
    """`lease`: by which the executor claims steps. `look_for_room`: what tells whether it has room for them now."""

    def __init__(self, backends: Backends, runs: RunFactory, lease: Lease, look_for_room: Callable[[], Admit]) -> None:
        self._engine = backends.engine
        self._runs = runs
        self._lease = lease
        self._look_for_room = look_for_room
        self._log_topic = log_topic(backends.settings, events.EXECUTION_RESULT)

    def own(self, finished: Sequence[Finished]) -> list[OwnResult]:
        """Those by which this executor goes on, one of each execution."""
        leading_on = {one.key.execution_id: one for one in finished if _leads_on(one)}
        if not leading_on:
            return []
        admit = self._look_for_room()
        found = [self._own(one, admit) for one in list(leading_on.values())[:MOST_AT_ONCE]]
        return [one for one in found if one is not None]

    def store(self, own: Sequence[OwnResult]) -> dict[UUID, bool]:
        """Takes the results; returns by execution whether it went on. Those that are not returned are not this
        executor's any more. Raises Unavailable."""
        return going_on_store.go_on(self._engine, self._lease, [one.gone_on for one in own])

    def _own(self, finished: Finished, admit: Admit) -> OwnResult | None:
        message = finished.applied_message(self._log_topic)
        start = finished.start
        if len(message.value) > _SMALL_BYTES or _is_kept_otherwise(message, start):
            return None
        assert finished.run is not None
        execution = self._execution(finished.run)
        execution.run.step_ended(StepEnded(start.step_index, start.attempt, ROOT, finished.outcome.output))
        effects = execution.take_effects(self._runs.starts, admit)
        if execution.run.status is Status.FAILED or not _is_simple(effects):
            return None
        return OwnResult(finished.key, message, execution, _gone_on(finished, execution))

    def _execution(self, run: StepRun) -> LoadedExecution:
        """The execution as it is while the step runs."""
        start, version = run.start, run.version
        assert version is not None
        state = self._runs.new_run(version, start.execution_id, start.context.get("trigger") or {}, NO_VALUES)
        outputs = start.context.get("steps") or {}
        state.status, state.frames[ROOT] = Status.RUNNING, Frame(current_step=start.step_index, outputs=outputs)
        return LoadedExecution(start.execution_id, start.workflow_id, start.user_id, None, version, state)


def _leads_on(finished: Finished) -> bool:
    """Whether it is a success by which its execution may go on without the orchestrator."""
    start, outcome, run = finished.start, finished.outcome, finished.run
    return (
        run is not None
        and not run.is_awaited
        and outcome.failure is None
        and not outcome.has_parts
        and start.iteration == ROOT
        and not start.by_reference
        and run.size <= _SMALL_BYTES
        and run.version is not None
        and _is_straight(run.version)
    )


def _is_kept_otherwise(result: Message, start: ExecutionStart) -> bool:
    """Whether PostgreSQL has the result, or the payload, in another form than this executor. The payload of a step that
    was claimed with the success before it has been looked at."""
    if _KEPT_OTHERWISE.search(result.value):
        return True
    return not start.claimed and bool(_KEPT_OTHERWISE.search(jsonio.dumps(start.context.get("trigger"))))


def _is_straight(version: Version) -> bool:
    """Whether its steps run one after the other, need no more than their execution, and no other execution waits for
    them."""
    has_frames, limit = version.plan.has_frames, version.plan.settings.concurrency
    return version.problem is None and not version.may_call_variables and not has_frames and limit is None


def _is_simple(effects: Effects) -> bool:
    """Whether nothing follows but attempts."""
    return not (effects.calls or effects.response or effects.opened or effects.entering or effects.closing)


def _gone_on(finished: Finished, execution: LoadedExecution) -> GoneOn:
    start, update = finished.start, execution.update()
    return GoneOn(
        execution_id=start.execution_id,
        step_index=start.step_index,
        attempt=start.attempt,
        began=finished.started_at,
        status=update.status,
        current_step=update.current_step,
        outputs=update.outputs,
        outputs_order=update.outputs_order,
        result=update.result,
        result_order=update.result_order,
        finished=update.finished,
        attempts=[] if execution.is_over else execution.attempts,
    )
