"""Progress of the steps in one frame: the workflow's own list, an item of a loop, or a branch.

A loop makes thousands of attempts in thousands of frames. Whoever looks sees one frame at a time, with the branches
that run beside one another inside it; of a loop only how many of its items are over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased, defer

from flowforge.db.tables import ExecutionRow, FrameRow, OpenBlockRow, StepAttempt, StepPart
from flowforge.errors import NotFound
from flowforge.execution.state import ROOT, AttemptState, FrameStatus, Status
from flowforge.executions.views import AttemptView, BlockView, ExecutionView, attempt_view
from flowforge.field_order import restore
from flowforge.sentences import sentence
from flowforge.views import columns_of

SHOWN = 20
"""Attempts of one step."""
MOST_FRAMES = 100
"""Looked at together: branches inside branches multiply."""
MOST_CALLS = 200
_BLOCK = columns_of(BlockView, OpenBlockRow)


@dataclass(frozen=True, slots=True)
class FrameLook:
    number: int
    over: bool
    completed: bool
    current_step: int
    outputs: Mapping[str, Any]
    """Outputs by `step_<index>`."""
    error: Mapping[str, Any] | None
    attempts: Mapping[int, Sequence[AttemptView]] = field(default_factory=dict)
    """The last SHOWN attempts of each step, in the order in which they were made."""
    blocks: Mapping[int, BlockView] = field(default_factory=dict)
    """Open blocks by step index."""
    parts: Mapping[int, int] = field(default_factory=dict)
    """How many parts of its work are done, by the index of a step that runs and has some."""


@dataclass(frozen=True, slots=True)
class LoopSpan:
    """The time from the beginning of a loop's first item to the end of its last one, as far as these have happened."""

    begun: datetime | None
    ended: datetime | None


def look(
    session: Session, execution: ExecutionView, number: int, frames_shown: Callable[[BlockView], Sequence[int]]
) -> dict[int, FrameLook]:
    """The frame and those inside it, by number; `frames_shown` chooses those of a block. Three statements for each
    level of these, one more where a step runs. Raises NotFound."""
    found: dict[int, FrameLook] = {}
    waiting = [number]
    while waiting:
        found |= _load(session, execution, waiting)
        opened = [block for look in waiting if look in found for block in found[look].blocks.values()]
        inside = [frame for block in opened for frame in frames_shown(block)]
        waiting = inside[: MOST_FRAMES - len(found)]
    if number not in found:
        raise NotFound(sentence("there is no such frame in this execution"))
    return found


def loop_spans(session: Session, execution_id: UUID, loops: Collection[BlockView]) -> dict[tuple[int, int], LoopSpan]:
    """Measure how long the loops took, by (frame, step)."""
    if not loops:
        return {}
    edges = {edge for block in loops for edge in _edges(block)}
    rows = session.execute(
        select(StepAttempt.iteration, func.min(StepAttempt.due_at), func.max(StepAttempt.finished_at))
        .where(StepAttempt.execution_id == execution_id, StepAttempt.iteration.in_(edges))
        .group_by(StepAttempt.iteration)
    )
    begun_and_ended = {row[0]: (row[1], row[2]) for row in rows}
    nothing = (None, None)
    return {
        (block.frame, block.step_index): LoopSpan(
            *(begun_and_ended.get(edge, nothing)[which] for which, edge in enumerate(_edges(block)))
        )
        for block in loops
    }


def called(session: Session, execution_id: UUID) -> dict[tuple[int, int], UUID]:
    """The executions that its steps have started, by (frame, step); the newest MOST_CALLS."""
    rows = session.execute(
        select(ExecutionRow.id, ExecutionRow.awaited_by)
        .where(ExecutionRow.parent_execution_id == execution_id)
        .order_by(ExecutionRow.id.desc())
        .limit(MOST_CALLS)
    )
    return {(by.get("iteration", ROOT), by["stepIndex"]): id_ for id_, by in rows if by and "stepIndex" in by}


def _edges(block: BlockView) -> tuple[int, int]:
    """The numbers of its first and its last frame."""
    return block.first_frame, block.first_frame + block.total - 1


def _load(session: Session, execution: ExecutionView, numbers: Sequence[int]) -> dict[int, FrameLook]:
    attempts, blocks = _attempts(session, execution.id, numbers), _blocks(session, execution.id, numbers)
    parts = _parts(session, execution.id, attempts)
    looks = [_of_frame(row) for row in _rows(session, execution.id, numbers)]
    looks += [_of_execution(execution)] if ROOT in numbers else []
    return {
        each.number: FrameLook(
            each.number,
            each.over or Status(execution.status).terminal,
            each.completed,
            each.current_step,
            each.outputs,
            each.error,
            attempts.get(each.number, {}),
            blocks.get(each.number, {}),
            parts.get(each.number, {}),
        )
        for each in looks
    }


def _of_execution(row: ExecutionView) -> FrameLook:
    completed = row.status == Status.COMPLETED
    return FrameLook(ROOT, completed, completed, row.current_step, row.step_outputs or {}, row.error)


def _of_frame(row: FrameRow) -> FrameLook:
    over = row.status in (FrameStatus.COMPLETED, FrameStatus.FAILED)
    outputs = restore(row.outputs or {}, row.outputs_order)
    return FrameLook(row.number, over, row.status == FrameStatus.COMPLETED, row.current_step, outputs, row.error)


def _rows(session: Session, execution_id: UUID, numbers: Sequence[int]) -> Sequence[FrameRow]:
    inner = [number for number in numbers if number != ROOT]
    wanted = select(FrameRow).where(FrameRow.execution_id == execution_id, FrameRow.number.in_(inner))
    return session.scalars(wanted).all() if inner else ()


def _blocks(session: Session, execution_id: UUID, numbers: Sequence[int]) -> dict[int, dict[int, BlockView]]:
    wanted = select(*_BLOCK).where(OpenBlockRow.execution_id == execution_id, OpenBlockRow.frame.in_(numbers))
    found: dict[int, dict[int, BlockView]] = {}
    for block in (BlockView(*row) for row in session.execute(wanted)):
        found.setdefault(block.frame, {})[block.step_index] = block
    return found


def _attempts(
    session: Session, execution_id: UUID, numbers: Sequence[int]
) -> dict[int, dict[int, Sequence[AttemptView]]]:
    rank = func.row_number().over(
        partition_by=(StepAttempt.iteration, StepAttempt.step_index), order_by=StepAttempt.attempt.desc()
    )
    ranked = (
        select(StepAttempt, rank.label("rank"))
        .where(StepAttempt.execution_id == execution_id, StepAttempt.iteration.in_(numbers))
        .subquery()
    )
    attempt = aliased(StepAttempt, ranked)
    newest = select(attempt).where(ranked.c.rank <= SHOWN).options(defer(attempt.output))
    found: dict[int, dict[int, list[AttemptView]]] = {}
    for row in session.scalars(newest.order_by(attempt.iteration, attempt.step_index, attempt.attempt)):
        found.setdefault(row.iteration, {}).setdefault(row.step_index, []).append(attempt_view(row))
    return {frame: dict(steps) for frame, steps in found.items()}


def _parts(
    session: Session, execution_id: UUID, attempts: Mapping[int, Mapping[int, Sequence[AttemptView]]]
) -> dict[int, dict[int, int]]:
    """Count the parts that steps which run have done; asks only where some step runs."""
    running = [
        (frame, index)
        for frame, steps in attempts.items()
        for index, tried in steps.items()
        if tried[-1].state == AttemptState.RUNNING
    ]
    if not running:
        return {}
    rows = session.execute(
        select(StepPart.iteration, StepPart.step_index, func.max(StepPart.number))
        .where(StepPart.execution_id == execution_id, tuple_(StepPart.iteration, StepPart.step_index).in_(running))
        .group_by(StepPart.iteration, StepPart.step_index)
    )
    found: dict[int, dict[int, int]] = {}
    for frame, index, number in rows:
        found.setdefault(frame, {})[index] = number
    return found
