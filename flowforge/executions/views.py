"""Views of executions, their frames, blocks and attempts; what a list leaves out of them is None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from flowforge.db.tables import ExecutionRow, FrameRow, StepAttempt
from flowforge.field_order import restore
from flowforge.jsonio import JsonObject
from flowforge.views import columns_of, view_of


@dataclass(frozen=True, slots=True)
class ExecutionSummary:
    """An execution without its data."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    status: str
    current_step: int
    error: JsonObject | None
    trigger_id: UUID | None
    trigger_type: str | None
    created_at: datetime
    finished_at: datetime | None


SUMMARY_COLUMNS = columns_of(ExecutionSummary, ExecutionRow)
"""The columns that a summary is made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionView(ExecutionSummary):
    updated_at: datetime
    event_id: UUID | None
    version_id: UUID | None
    parent_execution_id: UUID | None
    replay_of: UUID | None
    trigger_payload: JsonObject | None
    step_outputs: JsonObject | None
    result: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExecutionView(ExecutionView):
    truncated: bool
    """Whether payload, outputs and result were left out: they would not have fitted into the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeExecutionView(ExecutionView):
    omitted_outputs: Sequence[str]
    """The keys of outputs that were left out: all together would be too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailedExecutionView(WholeExecutionView):
    """An execution with what happened in its root frame."""

    attempts: Sequence[AttemptView]
    blocks: Sequence[BlockView]
    replays: Sequence[ExecutionSummary]
    """The executions that did it again, newest first."""


@dataclass(frozen=True, slots=True)
class WaitView:
    """A wait of a step. `kind`: time, resume, approval, workflow or continue."""

    kind: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block that was opened in a frame."""

    frame: int
    step_index: int
    first_frame: int
    total: int
    begun: int
    ended: int
    failed: int
    error: JsonObject | None

    @property
    def frames(self) -> range:
        """The numbers of its frames."""
        return range(self.first_frame, self.first_frame + self.total)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFrameView(FrameView):
    truncated: bool
    """Whether outputs and result were left out: they would not have fitted into the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailedFrameView(FrameView):
    """A frame with what happened in it."""

    omitted_outputs: Sequence[str]
    """The keys of outputs that were left out: all together would be too large."""
    attempts: Sequence[AttemptView]
    blocks: Sequence[BlockView]


E = TypeVar("E", bound=ExecutionView)
F = TypeVar("F", bound=FrameView)


def execution_view(view: type[E], row: ExecutionRow, **others: Any) -> E:
    """Make a view of an execution; `others` are the fields that its row does not hold."""
    restore(row.trigger_payload, row.payload_order)
    restore(row.step_outputs, row.outputs_order)
    restore(row.result, row.result_order)
    return view_of(view, row, result=row.result["value"] if row.result else None, **others)


def frame_view(view: type[F], row: FrameRow, **others: Any) -> F:
    """Make a view of a frame; `others` are the fields that its row does not hold."""
    restore(row.item, row.item_order)
    restore(row.result, row.result_order)
    restore(row.outputs, row.outputs_order)
    return view_of(view, row, **others)


def attempt_view(row: StepAttempt) -> AttemptView:
    waiting = WaitView(row.waiting.get("kind"), row.waiting.get("message")) if row.waiting else None
    return view_of(AttemptView, row, waiting=waiting)
