"""Frames and open blocks in PostgreSQL.

Each query handles a whole batch in one statement; the caller owns the transaction, and holds the locks of the
executions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.prepared import PREPARED
from flowforge.execution.commands import OpenFrames
from flowforge.execution.state import BlockKey, EndedFrame, Frame, FrameStatus, OpenBlock
from flowforge.field_order import Order, Orders, order_of, orders_of, restore_row


@dataclass(frozen=True, slots=True, order=True)
class FrameKey:
    """A frame of an execution."""

    execution_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class OpenBlockKey:
    """An open block: the frame in which it stands, and its step."""

    execution_id: UUID
    frame: int
    step_index: int


@dataclass(frozen=True, slots=True)
class LoadedFrame:
    """A frame, with the block that opened it."""

    execution_id: UUID
    frame: Frame
    block: OpenBlock


@dataclass(frozen=True, slots=True)
class _FrameUpdate(FrameKey):
    status: FrameStatus
    current_step: int
    recorded: Mapping[str, Any]
    recorded_order: Orders | None
    result: Any
    result_order: Order | None
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class _BlockUpdate(OpenBlockKey):
    total: int
    begun: int
    ended: int
    failed: int
    failed_position: int | None
    error: Mapping[str, Any] | None
    memory: Mapping[str, Any] | None
    memory_order: Order | None


@dataclass(frozen=True, slots=True)
class _NewBlock(_BlockUpdate):
    first_frame: int
    at_once: int
    closure: Mapping[str, Any]
    closure_order: Order | None


@dataclass(frozen=True, slots=True)
class _NewFrames(OpenBlockKey):
    first_frame: int
    """Number of the one at position 0."""
    position: int
    items: Sequence[Any]
    item_orders: Sequence[Order | None] | None
    """None where no item has any."""


_FRAME = (
    "f.number, f.block_frame, f.block_step, f.position, f.status, f.current_step, f.outputs, f.item, f.outputs_order,"
    " f.item_order"
)
_FRAME_COLUMNS = 10
_BLOCK = (
    "b.frame, b.step_index, b.first_frame, b.total, b.at_once, b.closure, b.begun, b.ended, b.failed,"
    " b.failed_position, b.error, b.memory, b.closure_order, b.memory_order"
)


def open_frames(connection: Connection, opened: Sequence[tuple[UUID, OpenFrames]]) -> None:
    """Stores waiting frames of executions, and the blocks that have none yet."""
    blocks = [_new_block(execution_id, frames.block) for execution_id, frames in opened if frames.position == 0]
    connection.exec_driver_sql(
        """
        WITH blocks AS (
            INSERT INTO orchestrator.open_blocks
                (execution_id, frame, step_index, first_frame, total, at_once, begun, ended, failed, failed_position,
                 error, closure, closure_order, memory, memory_order)
            SELECT * FROM jsonb_to_recordset(%(blocks)s::jsonb) AS r(
                execution_id uuid, frame int, step_index int, first_frame int, total int, at_once int, begun int,
                ended int, failed int, failed_position int, error jsonb, closure jsonb, closure_order jsonb,
                memory jsonb, memory_order jsonb)
        )
        INSERT INTO orchestrator.step_frames
            (execution_id, number, block_frame, block_step, position, status, current_step, item, item_order, outputs)
        SELECT r.execution_id, r.first_frame + r.position + i.ordinality - 1, r.frame, r.step_index,
               r.position + i.ordinality - 1, 'WAITING', r.step_index, i.value,
               NULLIF(r.item_orders->(i.ordinality - 1)::int, 'null'), '{}'
        FROM jsonb_to_recordset(%(frames)s::jsonb) AS r(
                execution_id uuid, frame int, step_index int, first_frame int, position int, items jsonb,
                item_orders jsonb)
            CROSS JOIN LATERAL jsonb_array_elements(r.items) WITH ORDINALITY i
        """,
        {
            "blocks": jsonio.dumps_for_database(blocks),
            "frames": jsonio.dumps_for_database([_new_frames(*one) for one in opened]),
        },
        execution_options=PREPARED,
    )


def enter_frames(connection: Connection, keys: Sequence[FrameKey]) -> list[tuple[UUID, Frame]]:
    """Sets waiting frames to RUNNING; returns them with their executions."""
    rows = connection.exec_driver_sql(
        f"""
        UPDATE orchestrator.step_frames f SET status = 'RUNNING'
        FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(execution_id uuid, number int)
        WHERE f.execution_id = k.execution_id AND f.number = k.number AND f.status = 'WAITING'
        RETURNING f.execution_id, {_FRAME}
        """,  # noqa: S608  (names of columns)
        {"keys": jsonio.dumps(keys).decode()},
        execution_options=PREPARED,
    )
    return [(row[0], _frame(row[1:])) for row in rows]


def load_frames(connection: Connection, keys: Sequence[FrameKey]) -> list[LoadedFrame]:
    """Returns the frames that exist."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT f.execution_id, {_FRAME}, {_BLOCK}
        FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(execution_id uuid, number int)
        JOIN orchestrator.step_frames f ON f.execution_id = k.execution_id AND f.number = k.number
        JOIN orchestrator.open_blocks b
            ON b.execution_id = f.execution_id AND b.frame = f.block_frame AND b.step_index = f.block_step
        """,  # noqa: S608
        {"keys": jsonio.dumps(keys).decode()},
        execution_options=PREPARED,
    )
    return [LoadedFrame(row[0], _frame(row[1 : 1 + _FRAME_COLUMNS]), _block(row[1 + _FRAME_COLUMNS :])) for row in rows]


def load_blocks(connection: Connection, keys: Sequence[OpenBlockKey]) -> list[tuple[UUID, OpenBlock]]:
    """Returns the blocks that are open, with their executions."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT b.execution_id, {_BLOCK}
        FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(execution_id uuid, frame int, step_index int)
        JOIN orchestrator.open_blocks b
            ON b.execution_id = k.execution_id AND b.frame = k.frame AND b.step_index = k.step_index
        """,  # noqa: S608
        {"keys": jsonio.dumps(keys).decode()},
        execution_options=PREPARED,
    )
    return [(row[0], _block(row[1:])) for row in rows]


def save(
    connection: Connection, frames: Iterable[tuple[UUID, Frame]], blocks: Iterable[tuple[UUID, OpenBlock]]
) -> None:
    """Writes what the state machine has changed. A frame's outputs are added to, never replaced."""
    frame_rows = [_frame_update(execution_id, frame) for execution_id, frame in frames]
    block_rows = [_block_update(execution_id, block) for execution_id, block in blocks]
    connection.exec_driver_sql(
        """
        WITH blocks AS (
            UPDATE orchestrator.open_blocks b
            SET total = r.total, begun = r.begun, ended = r.ended, failed = r.failed,
                failed_position = r.failed_position, error = r.error, memory = r.memory, memory_order = r.memory_order
            FROM jsonb_to_recordset(%(blocks)s::jsonb) AS r(
                execution_id uuid, frame int, step_index int, total int, begun int, ended int, failed int,
                failed_position int, error jsonb, memory jsonb, memory_order jsonb)
            WHERE b.execution_id = r.execution_id AND b.frame = r.frame AND b.step_index = r.step_index
        )
        UPDATE orchestrator.step_frames f
        SET status = r.status, current_step = r.current_step, result = r.result, result_order = r.result_order,
            error = r.error,
            outputs = CASE WHEN r.recorded = '{}' THEN f.outputs ELSE f.outputs || r.recorded END,
            outputs_order = COALESCE(f.outputs_order || r.recorded_order, r.recorded_order, f.outputs_order)
        FROM jsonb_to_recordset(%(frames)s::jsonb) AS r(
            execution_id uuid, number int, status text, current_step int, recorded jsonb, recorded_order jsonb,
            result jsonb, result_order jsonb, error jsonb)
        WHERE f.execution_id = r.execution_id AND f.number = r.number
        """,
        {"frames": jsonio.dumps_for_database(frame_rows), "blocks": jsonio.dumps_for_database(block_rows)},
        execution_options=PREPARED,
    )


def ended_frames(
    connection: Connection, keys: Sequence[OpenBlockKey], *, with_outputs: bool
) -> dict[OpenBlockKey, list[EndedFrame]]:
    """Returns what the frames of each block gave, by position; their steps' outputs only where they are wanted."""
    rows = connection.exec_driver_sql(
        """
        SELECT k.execution_id, k.frame, k.step_index, f.position, f.status = 'FAILED',
               CASE WHEN f.status = 'FAILED' THEN jsonb_build_object('error', f.error) ELSE f.result END,
               CASE WHEN %(with_outputs)s THEN f.outputs END, CASE WHEN f.status <> 'FAILED' THEN f.result_order END,
               CASE WHEN %(with_outputs)s THEN f.outputs_order END
        FROM jsonb_to_recordset(%(keys)s::jsonb) AS k(execution_id uuid, frame int, step_index int)
        JOIN orchestrator.open_blocks b
            ON b.execution_id = k.execution_id AND b.frame = k.frame AND b.step_index = k.step_index
        JOIN orchestrator.step_frames f
            ON f.execution_id = b.execution_id AND f.number >= b.first_frame AND f.number < b.first_frame + b.begun
        ORDER BY f.execution_id, f.number
        """,
        {"keys": jsonio.dumps(keys).decode(), "with_outputs": with_outputs},
        execution_options=PREPARED,
    )
    found: dict[OpenBlockKey, list[EndedFrame]] = {key: [] for key in keys}
    for execution_id, frame, step_index, *ended in rows:
        position, failed, result, outputs = restore_row(ended, 2, 3)
        found[OpenBlockKey(execution_id, frame, step_index)].append(EndedFrame(position, failed, result, outputs or {}))
    return found


def _frame(row: Sequence[Any]) -> Frame:
    number, block_frame, block_step, position, status, current_step, outputs, item = restore_row(row, 6, 7)
    key: BlockKey = (block_frame, block_step)
    return Frame(number, key, position, FrameStatus(status), current_step, outputs, item)


def _block(row: Sequence[Any]) -> OpenBlock:
    return OpenBlock(*restore_row(row, 5, 11))


def _frame_update(execution_id: UUID, frame: Frame) -> _FrameUpdate:
    return _FrameUpdate(
        execution_id,
        frame.number,
        frame.status,
        frame.current_step,
        frame.recorded,
        orders_of(frame.recorded),
        frame.result,
        order_of(frame.result),
        frame.error,
    )


def _block_update(execution_id: UUID, block: OpenBlock) -> _BlockUpdate:
    return _BlockUpdate(
        execution_id,
        block.frame,
        block.step_index,
        block.total,
        block.begun,
        block.ended,
        block.failed,
        block.failed_position,
        block.error,
        block.memory,
        order_of(block.memory),
    )


def _new_block(execution_id: UUID, block: OpenBlock) -> _NewBlock:
    return _NewBlock(
        execution_id=execution_id,
        frame=block.frame,
        step_index=block.step_index,
        first_frame=block.first_frame,
        total=block.total,
        at_once=block.at_once,
        begun=block.begun,
        ended=block.ended,
        failed=block.failed,
        failed_position=block.failed_position,
        error=block.error,
        closure=block.closure,
        closure_order=order_of(block.closure),
        memory=block.memory,
        memory_order=order_of(block.memory),
    )


def _new_frames(execution_id: UUID, frames: OpenFrames) -> _NewFrames:
    block, orders = frames.block, [order_of(item) for item in frames.items]
    return _NewFrames(
        execution_id,
        block.frame,
        block.step_index,
        block.first_frame,
        frames.position,
        frames.items,
        orders if any(orders) else None,
    )
