"""Frames inside an execution's blocks, of loops and parallel branches, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from flowforge.db.tables import FrameRow, OpenBlockRow, StepAttempt
from flowforge.errors import NotFound
from flowforge.executions import within_bytes
from flowforge.executions.views import (
    AttemptView,
    BlockView,
    DetailedFrameView,
    FrameView,
    ListedFrameView,
    attempt_view,
    frame_view,
)
from flowforge.sentences import sentence
from flowforge.views import columns_of

MOST_ATTEMPTS = 1_000
MOST_BLOCKS = 1_000
_MISSING = sentence("there is no such frame in this execution")
_DATA = (FrameRow.outputs, FrameRow.result)
_BLOCK = columns_of(BlockView, OpenBlockRow)


def blocks(session: Session, execution_id: UUID, frame: int) -> Sequence[BlockView]:
    """The blocks that were opened in a frame (0: the workflow's own list), in the order of their steps."""
    wanted = select(*_BLOCK).where(OpenBlockRow.execution_id == execution_id, OpenBlockRow.frame == frame)
    in_order = wanted.order_by(OpenBlockRow.step_index).limit(MOST_BLOCKS)
    return [BlockView(*row) for row in session.execute(in_order)]


def page(
    session: Session,
    execution_id: UUID,
    frame: int,
    step_index: int,
    *,
    after: int = -1,
    size: int = 50,
    status: str | None = None,
) -> Sequence[ListedFrameView]:
    """The frames of a block behind position `after`, in the order of their positions. An item is part of what its loop
    was given, which is bounded; outputs and results come as far as they fit. Raises NotFound."""
    block = session.get(OpenBlockRow, (execution_id, frame, step_index))
    if block is None:
        raise NotFound(sentence("there is no such block in this execution"))
    first = block.first_frame + after + 1
    wanted = select(FrameRow).where(
        FrameRow.execution_id == execution_id,
        FrameRow.number >= first,
        FrameRow.number < block.first_frame + block.total,
    )
    if status:
        wanted = wanted.where(FrameRow.status == status)
    found = within_bytes.page(session, FrameRow, wanted.limit(size), [FrameRow.number], _DATA)
    return [frame_view(ListedFrameView, row, truncated=row in found.truncated) for row in found.rows]


@dataclass(frozen=True, slots=True)
class FramePosition:
    """The place of a frame among those of its block."""

    number: int
    block_step: int
    position: int


def positions(session: Session, execution_id: UUID, numbers: Collection[int]) -> list[FramePosition]:
    """Find the positions of the frames of these numbers, in one statement."""
    columns = (FrameRow.number, FrameRow.block_step, FrameRow.position)
    wanted = select(*columns).where(FrameRow.execution_id == execution_id, FrameRow.number.in_(numbers))
    return [FramePosition(*row) for row in session.execute(wanted)]


def get(session: Session, execution_id: UUID, number: int) -> FrameView:
    """Raises NotFound."""
    row = session.get(FrameRow, (execution_id, number))
    if row is None:
        raise NotFound(_MISSING)
    return frame_view(FrameView, row)


def detailed(session: Session, execution_id: UUID, number: int) -> DetailedFrameView:
    """Read one frame with its data, outputs as far as they fit, and what happened in it. Raises NotFound."""
    found = within_bytes.whole(session, _by_number(execution_id, number), FrameRow.outputs, _MISSING)
    return frame_view(
        DetailedFrameView,
        found.row,
        omitted_outputs=found.omitted,
        attempts=attempts(session, execution_id, number),
        blocks=blocks(session, execution_id, number),
    )


def output(session: Session, execution_id: UUID, number: int, key: str) -> Any:
    """Read the output of one step in the frame. Raises NotFound."""
    return within_bytes.output(session, _by_number(execution_id, number), FrameRow.outputs, FrameRow.outputs_order, key)


def _by_number(execution_id: UUID, number: int) -> Select[FrameRow]:
    return select(FrameRow).where(FrameRow.execution_id == execution_id, FrameRow.number == number)


def attempts(session: Session, execution_id: UUID, frame: int) -> Sequence[AttemptView]:
    """List the attempts of the steps in a frame, in the order in which they were made; at most the first thousand."""
    wanted = select(StepAttempt).where(StepAttempt.execution_id == execution_id, StepAttempt.iteration == frame)
    in_order = wanted.order_by(StepAttempt.step_index, StepAttempt.attempt).limit(MOST_ATTEMPTS)
    return [attempt_view(row) for row in session.scalars(in_order)]
