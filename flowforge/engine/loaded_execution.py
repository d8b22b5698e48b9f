"""One execution on the move: what is known of it while the state machine drives it, and what came of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flowforge import jsonio
from flowforge.bus import Message
from flowforge.db.executions_store import ExecutionState
from flowforge.engine.announcements import execution_event
from flowforge.engine.completion import EndedExecution
from flowforge.engine.intake import NewEvent
from flowforge.engine.plans import Version
from flowforge.engine.replay_start import Replay
from flowforge.execution.commands import Effects, Respond
from flowforge.execution.machine import Run
from flowforge.execution.state import ROOT, Frame, Status
from flowforge.language.blocks import BlockType


@dataclass(slots=True)
class LoadedExecution:
    """One execution of the batch."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    version: Version
    run: Run
    trigger_type: str | None = None
    awaited_by: dict[str, Any] | None = None
    concurrency_key: str | None = None
    begin_at: datetime | None = None
    """While it is held back by a limit."""
    replay: Replay | None = None
    deadline: datetime | None = None
    """Given when it begins."""
    complete: bool = True
    """Whether payload and outputs are loaded."""
    before: tuple[Any, ...] = ()
    """What the row holds of what may change."""
    was_over: bool = False
    """Before this batch."""
    attempts: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the attempts that follow."""
    starts: list[Message] = field(default_factory=list)
    calls: list[NewEvent] = field(default_factory=list)
    uncalled: list[dict[str, Any]] = field(default_factory=list)
    """Calls that end at once, as rows for waits_store.end_waits."""
    response: Respond | None = None
    asked: Effects | None = None
    """What the machine has asked for when the execution was not stored yet."""

    @classmethod
    def of(cls, state: ExecutionState, version: Version, run: Run) -> LoadedExecution:
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
            complete=not state.in_block,
        )
        loaded.was_over = loaded.over
        loaded.stored()
        return loaded

    def stored(self) -> None:
        """The row holds what is known now."""
        root = self.run.frames[ROOT]
        self.before, root.recorded = (self.run.status, root.current_step, self.run.next_frame), {}

    @property
    def changed(self) -> bool:
        """Whether the execution's own row has to be written; what happens inside a block does not touch it."""
        root = self.run.frames[ROOT]
        return bool(root.recorded) or self.before != (self.run.status, root.current_step, self.run.next_frame)

    @property
    def over(self) -> bool:
        return self.run.status.terminal

    @property
    def in_block(self) -> bool:
        """Whether the step due in the workflow's own list is a block with frames."""
        root = self.run.frames[ROOT]
        step = self.version.plan.step(root.current_step)
        return not self.over and step is not None and step.block in _WITH_FRAMES

    def row(self) -> dict[str, Any]:
        """As executions_store.apply and begin_executions take it."""
        root, run = self.run.frames[ROOT], self.run
        return {
            "id": self.execution_id,
            "status": run.status,
            "current_step": root.current_step,
            "outputs": root.recorded,
            "in_block": self.in_block or None,
            "next_frame": run.next_frame if run.next_frame > 1 else None,
            "error": run.error,
            "result": None if run.result is None else {"value": run.result},
            "deadline": self.deadline,
            "finished": self.over,
        }

    @property
    def calls_others(self) -> bool:
        return any(step.block is BlockType.RUN_WORKFLOW for step in self.run.plan.steps)

    @property
    def is_limited(self) -> bool:
        settings = self.version.plan.settings
        return settings.concurrency is not None or settings.rate_limit is not None

    def begin(self) -> None:
        """Lets it move: its time limit counts from now."""
        limit = self.version.plan.settings.timeout
        if limit is not None:
            self.deadline = datetime.now(UTC) + timedelta(seconds=limit)
        if self.replay is None or self.replay.step is None:
            self.run.begin()
        else:
            self.run.begin_at(self.replay.step, self.replay.outputs)

    def fail(self, message: str) -> None:
        """It ends for a reason that is no step's."""
        self.run.frames.setdefault(ROOT, Frame())
        self.run.status, self.run.error = Status.FAILED, {"message": jsonio.writable(message)}

    def cancel(self) -> None:
        """It ends because another took its place before it began."""
        self.run.status = Status.CANCELLED

    def ended(self) -> EndedExecution:
        return EndedExecution(
            self.execution_id,
            self.workflow_id,
            self.user_id,
            self.event_id,
            self.trigger_type,
            self.run.status,
            self.version.name,
            self.run.error,
            self.run.result,
            self.awaited_by,
            self.concurrency_key,
            self.version.error_workflow,
        )


_WITH_FRAMES = {BlockType.FOR_EACH, BlockType.PARALLEL}


def announce(one: LoadedExecution, status: Any, **more: Any) -> Message:
    """A line for the log and the live view."""
    return execution_event(one.execution_id, one.workflow_id, one.user_id, status, **more)
