"""One execution while the state machine drives it: what is loaded of it, and what its commands have become so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flowforge import jsonio
from flowforge.bus import Message
from flowforge.db.attempt_rows import AttemptResult, NewAttempt, permanent_error
from flowforge.db.ending_store import EndedExecution
from flowforge.db.events_store import NewEvent
from flowforge.db.executions_store import ExecutionState, ExecutionUpdate, NewExecution
from flowforge.engine import completion
from flowforge.engine.announcements import execution_event
from flowforge.engine.fair_queue import Admission
from flowforge.engine.plans import Version
from flowforge.engine.replay import Replay
from flowforge.engine.start_messages import Admit, StartMessage, StartMessages, StepContext
from flowforge.engine.workflow_calls import MOST_CALLS_DEEP, call_event, depth_of
from flowforge.events import TriggerEvent
from flowforge.execution.commands import CallWorkflow, Effects, Respond, StartStep, Wait
from flowforge.execution.context import step_context
from flowforge.execution.machine import Run
from flowforge.execution.state import ROOT, AttemptState, Frame, Status
from flowforge.field_order import order_of, orders_of
from flowforge.jsonio import JsonObject
from flowforge.language.plan import Step

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class LoadedExecution:
    """An execution of a batch (`flowforge.engine.execution_batch`)."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    version: Version
    run: Run
    trigger_type: str | None = None
    awaited_by: JsonObject | None = None
    concurrency_key: str | None = None
    begin_at: datetime | None = None
    """While a limit holds it."""
    replay: Replay | None = None
    deadline: datetime | None = None
    """Set when it begins."""
    is_beginning: bool = False
    """Whether its first commands are still to be taken."""
    is_complete: bool = True
    """Whether payload and outputs are loaded."""
    was_over: bool = False
    """Whether it was over before this batch."""
    attempts: list[NewAttempt] = field(default_factory=list)
    """Attempts that follow."""
    start_messages: list[StartMessage] = field(default_factory=list)
    calls: list[NewEvent] = field(default_factory=list)
    ended_calls: list[AttemptResult] = field(default_factory=list)
    """Calls that are not awaited, or never begin."""
    response: Respond | None = None
    pending_effects: Effects | None = None
    """Effects that were taken before the execution was stored, to be carried out afterwards."""
    _stored: tuple[Status, int, int] | None = None

    @classmethod
    def of(cls, state: ExecutionState, version: Version, run: Run) -> LoadedExecution:
        """An execution as its row has it."""
        root = Frame(current_step=state.current_step, outputs=state.step_outputs or {})
        run.status, run.next_frame, run.frames[ROOT] = Status(state.status), state.next_frame, root
        loaded = cls(
            state.id,
            state.workflow_id,
            state.user_id,
            state.event_id,
            version,
            run,
            state.trigger_type,
            state.awaited_by,
            state.concurrency_key,
            is_complete=not state.in_block,
        )
        loaded.was_over = loaded.is_over
        loaded.mark_stored()
        return loaded

    # What it is like

    @property
    def is_over(self) -> bool:
        return self.run.status.terminal

    @property
    def is_changed(self) -> bool:
        """Whether the execution's own row has to be written; what happens inside a block does not touch it."""
        return bool(self.run.frames[ROOT].recorded) or self._stored != self._position()

    @property
    def is_limited(self) -> bool:
        settings = self.version.plan.settings
        return settings.concurrency is not None or settings.rate_limit is not None

    @property
    def _takes_permit(self) -> bool:
        """Whether it begins by a rate permit."""
        return self.is_beginning and self.version.plan.settings.rate_limit is not None

    @property
    def calls_others(self) -> bool:
        return any(step.calls_workflow for step in self.run.plan.steps)

    @property
    def _in_block(self) -> bool:
        """Whether the step due in the workflow's own list is a block with frames."""
        step = self.version.plan.step(self.run.frames[ROOT].current_step)
        return not self.is_over and step is not None and step.has_frames

    # What happens to it

    def begin(self) -> None:
        """Begins it, at the step of its replay or at the first; its time limit counts from now."""
        self.is_beginning = True
        limit = self.version.plan.settings.timeout
        if limit is not None:
            self.deadline = datetime.now(UTC) + timedelta(seconds=limit)
        if self.replay is None or self.replay.step is None:
            self.run.begin()
        else:
            self.run.begin_at(self.replay.step, self.replay.outputs)

    def fail(self, message: str) -> None:
        """Ends it for a reason that is no step's."""
        self.run.frames.setdefault(ROOT, Frame())
        self.run.status, self.run.error = Status.FAILED, {"message": jsonio.writable(message)}

    def cancel(self) -> None:
        """Ends it before it has begun."""
        self.run.status = Status.CANCELLED

    def mark_stored(self) -> None:
        """Notes that the row holds what is loaded."""
        self.run.frames[ROOT].recorded = {}
        self._stored = self._position()

    def _position(self) -> tuple[Status, int, int]:
        return self.run.status, self.run.frames[ROOT].current_step, self.run.next_frame

    # What its commands become

    def take_effects(self, starts: StartMessages, admit: Admit | None = None) -> Effects:
        """Returns the commands of the state machine since the last call; those about attempts, calls and answers are
        gathered here, to be written at the end of the batch. `admit`: what may claim the steps that follow."""
        if self.pending_effects is not None:
            effects, self.pending_effects = self.pending_effects, None
            return effects
        effects, self.run.effects = self.run.effects, Effects()
        self.response = self.response or effects.response
        if not self.is_over:
            self._gather(effects, starts, admit)
        return effects

    def _gather(self, effects: Effects, starts: StartMessages, admit: Admit | None) -> None:
        for start in effects.starts:
            self._add_start(start, starts, admit)
        for wait in effects.waits:
            self._add_wait(wait)
        for call in effects.calls:
            self._add_call(call)
        self.is_beginning = False

    def _add_start(self, start: StartStep, starts: StartMessages, admit: Admit | None) -> None:
        step = self.run.plan.step(start.step_index)
        assert step is not None
        admission = Admission.CROWDED if start.due_at else self._add_message(start, step, starts, admit)
        self.attempts.append(
            NewAttempt(
                self.execution_id,
                start.step_index,
                start.iteration,
                start.attempt,
                self.workflow_id,
                AttemptState.QUEUED if admission is Admission.CROWDED else AttemptState.RUNNING,
                start.due_at,
                repeats=start.repeats,
                pauses=start.pauses or None,
                fails_after_crash=starts.fails_after_crash(step) or None,
                rate_limited=self._takes_permit or None,
                waits=admission is Admission.WAITS or None,
            )
        )

    def _add_message(self, start: StartStep, step: Step, starts: StartMessages, admit: Admit | None) -> Admission:
        """Returns what becomes of the attempt where it is claimed with it."""
        run, frame = self.run, self.run.frames[start.iteration]
        block = run.blocks[frame.block] if frame.block else None
        context = step_context(run.plan, step, frame, block, run.trigger)
        source = StepContext(self.execution_id, self.workflow_id, self.user_id, context)
        made = starts.claimed_or_not(source, step, start.attempt, start.iteration, admit)
        self.start_messages.append(made)
        return made.admission

    def _add_wait(self, wait: Wait) -> None:
        why = {"kind": wait.kind, "failsWhenDue": wait.fails_when_due, "message": wait.message}
        self._add_waiting((wait.step_index, wait.iteration, wait.attempt), wait.due_at, why)

    def _add_call(self, call: CallWorkflow) -> None:
        """Called too deep, the step fails; not awaited, it ends with the id of the execution it has started."""
        key = (call.step_index, call.iteration, 1)
        self._add_waiting(key, _NEVER, {"kind": "workflow"})
        depth = depth_of(self.awaited_by) + 1
        if depth > MOST_CALLS_DEEP:
            error = permanent_error(f"workflows call one another more than {MOST_CALLS_DEEP} deep")
            self.ended_calls.append(AttemptResult(self.execution_id, *key, succeeded=False, error=error))
            return
        inherited = {**self._after_failure(), "depth": depth}
        event = call_event(call, self.execution_id, self.workflow_id, self.user_id, inherited)
        self.calls.append(event)
        if not call.awaited:
            output = {"executionId": event.execution_id}
            self.ended_calls.append(AttemptResult(self.execution_id, *key, succeeded=True, output=output))

    def _add_waiting(self, key: tuple[int, int, int], due_at: datetime, why: JsonObject) -> None:
        self.attempts.append(NewAttempt(self.execution_id, *key, self.workflow_id, AttemptState.WAITING, due_at, why))

    def _after_failure(self) -> JsonObject:
        follows = completion.follows_a_failure(self.trigger_type, self.awaited_by)
        return {completion.AFTER_FAILURE: True} if follows else {}

    # What is stored and announced

    def new_row(self, event: TriggerEvent) -> NewExecution:
        """Its row where it has none yet; `event` is the one that leads to it."""
        root, run, result = self.run.frames[ROOT], self.run, self._result()
        return NewExecution(
            event_id=event.event_id,
            execution_id=self.execution_id,
            workflow_id=event.workflow_id,
            user_id=event.user_id,
            trigger_id=event.trigger_id,
            trigger_type=event.trigger_type,
            version_id=self.version.id,
            awaited_by=self.awaited_by,
            status=run.status,
            current_step=root.current_step,
            outputs=root.recorded,
            outputs_order=orders_of(root.recorded),
            in_block=self._in_block or None,
            next_frame=self._next_frame(),
            error=run.error,
            result=result,
            result_order=order_of(result),
            deadline=self.deadline,
            begin_at=self.begin_at,
            concurrency_key=self.concurrency_key,
            replay_of=self.replay.execution_id if self.replay else None,
            finished=self.is_over,
            attempts=[] if self.is_over else self.attempts,
        )

    def update(self) -> ExecutionUpdate:
        """The change of its row."""
        root, run, result = self.run.frames[ROOT], self.run, self._result()
        return ExecutionUpdate(
            id=self.execution_id,
            status=run.status,
            current_step=root.current_step,
            outputs=root.recorded,
            outputs_order=orders_of(root.recorded),
            in_block=self._in_block or None,
            next_frame=self._next_frame(),
            error=run.error,
            result=result,
            result_order=order_of(result),
            deadline=self.deadline,
            finished=self.is_over,
        )

    def _next_frame(self) -> int | None:
        return self.run.next_frame if self.run.next_frame > 1 else None

    def _result(self) -> JsonObject | None:
        return None if self.run.result is None else {"value": self.run.result}

    def ended(self) -> EndedExecution:
        return EndedExecution(
            self.execution_id,
            self.workflow_id,
            self.user_id,
            self.event_id,
            self.trigger_type,
            self.awaited_by,
            self.concurrency_key,
            self.run.status,
            self.version.name,
            self.version.error_workflow,
            self.run.error,
            self.run.result,
        )

    def announcement(self, status: Any, **more: Any) -> Message:
        """A line for the log and the live view."""
        return execution_event(self.execution_id, self.workflow_id, self.user_id, status, **more)
