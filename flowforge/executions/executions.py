"""Executions: looking at them, and cancelling one (contract.md, sections 1.1 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer

from flowforge.db import ending_store
from flowforge.db.tables import ExecutionRow
from flowforge.engine import answers, completion
from flowforge.engine.announcements import announce_quietly
from flowforge.errors import NotFound
from flowforge.executions import within_bytes
from flowforge.executions.within_bytes import MOST_BYTES, Whole
from flowforge.wiring import Backends

COUNT_LIMIT = 10_000
"""Totals are counted up to here: no query's cost may grow with history."""

REPLAYS_SHOWN = 50

_MISSING = "there is no such execution"
_DATA = (ExecutionRow.trigger_payload, ExecutionRow.step_outputs, ExecutionRow.result)

SORTABLE = {
    "createdAt": ExecutionRow.created_at,
    "updatedAt": ExecutionRow.updated_at,
    "status": ExecutionRow.status,
    "currentStep": ExecutionRow.current_step,
    "workflowId": ExecutionRow.workflow_id,
}


@dataclass(frozen=True, slots=True)
class ExecutionPage:
    rows: Sequence[ExecutionRow]
    total: int
    """Counted up to COUNT_LIMIT."""
    truncated: frozenset[ExecutionRow]
    """Rows without payload, outputs and result: they would not have fitted into the page."""


def find(
    session: Session,
    user_id: UUID,
    *,
    workflow_id: UUID | None = None,
    status: str | None = None,
    page: int = 0,
    size: int = 20,
    sort: str = "createdAt",
    descending: bool = True,
    most_bytes: int = MOST_BYTES,
) -> ExecutionPage:
    """List executions. At most `most_bytes` of their data are read, however large they are."""
    mine = select(ExecutionRow).where(ExecutionRow.user_id == user_id)
    if workflow_id is not None:
        mine = mine.where(ExecutionRow.workflow_id == workflow_id)
    if status:
        mine = mine.where(ExecutionRow.status == status)
    counted = mine.with_only_columns(ExecutionRow.id).limit(COUNT_LIMIT).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    column = SORTABLE[sort]
    order = (column.desc(), ExecutionRow.id.desc()) if descending else (column, ExecutionRow.id)
    wanted = mine.offset(page * size).limit(size)
    found = within_bytes.page(session, ExecutionRow, wanted, order, _DATA, most_bytes)
    return ExecutionPage(found.rows, total, found.truncated)


def get(session: Session, user_id: UUID, execution_id: UUID) -> ExecutionRow:
    """Raises NotFound."""
    row = session.scalar(_by_id(user_id, execution_id))
    if row is None:
        raise NotFound(_MISSING)
    return row


def whole(session: Session, user_id: UUID, execution_id: UUID) -> Whole[ExecutionRow]:
    """Read one execution with its data, as its own page shows it. Raises NotFound."""
    return within_bytes.whole(session, _by_id(user_id, execution_id), ExecutionRow.step_outputs, _MISSING)


def output(session: Session, user_id: UUID, execution_id: UUID, key: str) -> Any:
    """Read the output of one step. Raises NotFound."""
    return within_bytes.output(session, _by_id(user_id, execution_id), ExecutionRow.step_outputs, key)


def _by_id(user_id: UUID, execution_id: UUID) -> Select[ExecutionRow]:
    return select(ExecutionRow).where(ExecutionRow.id == execution_id, ExecutionRow.user_id == user_id)


def replays(session: Session, execution_id: UUID) -> Sequence[ExecutionRow]:
    """List the latest replays of the execution, newest first, without their data."""
    again = select(ExecutionRow).where(ExecutionRow.replay_of == execution_id).order_by(ExecutionRow.id.desc())
    without = (defer(ExecutionRow.trigger_payload), defer(ExecutionRow.step_outputs))
    return session.scalars(again.limit(REPLAYS_SHOWN).options(*without)).all()


def cancel(session: Session, backends: Backends, user_id: UUID, execution_id: UUID) -> ExecutionRow:
    """PENDING and RUNNING become CANCELLED, and so do the executions it has called; what is over stays as it is.
    Commits. Raises NotFound."""
    row = get(session, user_id, execution_id)
    connection = session.connection()
    cancelled = ending_store.cancel(connection, [row.id])
    following = completion.complete(connection, cancelled, backends.settings.payload_inline_limit)
    session.commit()
    announce_quietly(backends.bus, following.messages)
    answers.notify(backends.redis, following.answered)
    session.refresh(row)
    return row
