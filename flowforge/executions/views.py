"""Executions, their frames and their attempts as they are shown; what a list leaves out of them is None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from flowforge.db.tables import ExecutionRow, FrameRow, OpenBlockRow, StepAttempt
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionView:
    """An execution: first what the contract has (section 1.2), then ours."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    status: str
    current_step: int
    trigger_payload: JsonObject | None
    step_outputs: JsonObject | None
    created_at: datetime
    updated_at: datetime
    error: JsonObject | None
    event_id: UUID | None
    trigger_id: UUID | None
    trigger_type: str | None
    version_id: UUID | None
    finished_at: datetime | None
    result: Any
    parent_execution_id: UUID | None
    replay_of: UUID | None

    @classmethod
    def of(cls, row: ExecutionRow, **more: Any) -> Self:
        """Makes it of its row; `more` are the fields that the row does not hold."""
        return cls(
            id=row.id,
            workflow_id=row.workflow_id,
            user_id=row.user_id,
            status=row.status,
            current_step=row.current_step,
            trigger_payload=row.trigger_payload,
            step_outputs=row.step_outputs,
            created_at=row.created_at,
            updated_at=row.updated_at,
            error=row.error,
            event_id=row.event_id,
            trigger_id=row.trigger_id,
            trigger_type=row.trigger_type,
            version_id=row.version_id,
            finished_at=row.finished_at,
            result=row.result["value"] if row.result else None,
            parent_execution_id=row.parent_execution_id,
            replay_of=row.replay_of,
            **more,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExecution(ExecutionView):
    truncated: bool
    """Whether payload, outputs and result were left out: they would not have fitted into the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeExecution(ExecutionView):
    omitted_outputs: Sequence[str]
    """The keys of outputs that were left out: all together would be too large."""


@dataclass(frozen=True, slots=True)
class WaitView:
    """A wait of a step. `kind`: time, resume, approval, workflow or continue."""

    kind: str | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    step_index: int
    iteration: int
    attempt: int
    state: str
    succeeded: bool | None
    error: JsonObject | None
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    waiting: WaitView | None

    @classmethod
    def of(cls, row: StepAttempt) -> Self:
        waiting = WaitView(row.waiting.get("kind"), row.waiting.get("message")) if row.waiting else None
        return cls(
            step_index=row.step_index,
            iteration=row.iteration,
            attempt=row.attempt,
            state=row.state,
            succeeded=row.succeeded,
            error=row.error,
            due_at=row.due_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            waiting=waiting,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionDetail(WholeExecution):
    """An execution with what happened in its root frame."""

    attempts: Sequence[AttemptView]
    blocks: Sequence[OpenBlockRow]
    replays: Sequence[ExecutionRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameView:
    number: int
    block_frame: int
    block_step: int
    position: int
    status: str
    current_step: int
    item: Any
    outputs: JsonObject | None
    result: Any
    error: JsonObject | None

    @classmethod
    def of(cls, row: FrameRow, **more: Any) -> Self:
        """Makes it of its row; `more` are the fields that the row does not hold."""
        return cls(
            number=row.number,
            block_frame=row.block_frame,
            block_step=row.block_step,
            position=row.position,
            status=row.status,
            current_step=row.current_step,
            item=row.item,
            outputs=row.outputs,
            result=row.result,
            error=row.error,
            **more,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFrame(FrameView):
    truncated: bool
    """Whether outputs and result were left out: they would not have fitted into the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDetail(FrameView):
    """A frame with what happened in it."""

    omitted_outputs: Sequence[str]
    attempts: Sequence[AttemptView]
    blocks: Sequence[OpenBlockRow]
