"""Executions: looking at them, and cancelling one (contract.md, sections 1.1 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db import ending_store
from flowforge.db.executions_of import is_of
from flowforge.db.tables import ExecutionRow
from flowforge.engine import answers, completion
from flowforge.engine.announcements import announce_quietly
from flowforge.errors import NotFound
from flowforge.execution.state import ROOT
from flowforge.executions import frames, within_bytes
from flowforge.executions.views import (
    SUMMARY_COLUMNS,
    DetailedExecutionView,
    ExecutionSummary,
    ExecutionView,
    ListedExecutionView,
    WholeExecutionView,
    execution_view,
)
from flowforge.executions.within_bytes import MOST_BYTES, Whole
from flowforge.sentences import sentence
from flowforge.wiring import Backends

COUNT_LIMIT = 10_000
"""Totals are counted up to here: no query's cost may grow with history."""

REPLAYS_SHOWN = 50
_CANCELLED_AT_ONCE = 200

_MISSING = sentence("there is no such execution")
_Column = InstrumentedAttribute[Any] | ColumnElement[Any]
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
    executions: Sequence[ListedExecutionView]
    total: int
    """Counted up to COUNT_LIMIT."""


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
    """List executions. In another order than that of their creation, the newest COUNT_LIMIT are listed: those that the
    total counts. At most `most_bytes` of their data are read, however large they are."""
    mine = select(ExecutionRow).where(is_of(user_id, workflow_id))
    if status:
        mine = mine.where(ExecutionRow.status == status)
    # in the order of an index: without one, PostgreSQL may read the table from its start, and all that is not counted
    newest = mine.order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc()).limit(COUNT_LIMIT)
    counted = newest.with_only_columns(ExecutionRow.id).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    order = _order(SORTABLE[sort], ExecutionRow.id, descending)
    if sort == "createdAt":
        wanted = mine.offset(page * size).limit(size)
    else:
        among = newest.with_only_columns(ExecutionRow.id, SORTABLE[sort].label("value")).subquery().c
        ids = select(among.id).order_by(*_order(among.value, among.id, descending)).offset(page * size).limit(size)
        wanted = select(ExecutionRow).where(ExecutionRow.id.in_(ids))
    found = within_bytes.page(session, ExecutionRow, wanted, order, _DATA, most_bytes)
    rows = [execution_view(ListedExecutionView, row, truncated=row in found.truncated) for row in found.rows]
    return ExecutionPage(rows, total)


def _order(value: _Column, id_: _Column, descending: bool) -> Sequence[_Column]:
    return (value.desc(), id_.desc()) if descending else (value, id_)


def get(session: Session, user_id: UUID, execution_id: UUID) -> ExecutionView:
    """Get an execution with all its data. Raises NotFound."""
    return execution_view(ExecutionView, _load(session, user_id, execution_id))


def latest(session: Session, user_id: UUID, workflow_id: UUID) -> ExecutionView | None:
    """Get the workflow's newest execution; None where there is none."""
    mine = select(ExecutionRow).where(is_of(user_id, workflow_id))
    row = session.scalar(mine.order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc()).limit(1))
    return None if row is None else execution_view(ExecutionView, row)


def _load(session: Session, user_id: UUID, execution_id: UUID) -> ExecutionRow:
    """Raises NotFound."""
    row = session.scalar(_by_id(user_id, execution_id))
    if row is None:
        raise NotFound(_MISSING)
    return row


def whole(session: Session, user_id: UUID, execution_id: UUID) -> WholeExecutionView:
    """Read one execution with its data, outputs as far as they fit. Raises NotFound."""
    found = _whole(session, user_id, execution_id)
    return execution_view(WholeExecutionView, found.row, omitted_outputs=found.omitted)


def detailed(session: Session, user_id: UUID, execution_id: UUID) -> DetailedExecutionView:
    """Read one execution with its data, outputs as far as they fit, and what happened in its root frame. Raises
    NotFound."""
    found = _whole(session, user_id, execution_id)
    return execution_view(
        DetailedExecutionView,
        found.row,
        omitted_outputs=found.omitted,
        attempts=frames.attempts(session, execution_id, ROOT),
        blocks=frames.blocks(session, execution_id, ROOT),
        replays=replays(session, execution_id),
    )


def _whole(session: Session, user_id: UUID, execution_id: UUID) -> Whole[ExecutionRow]:
    return within_bytes.whole(session, _by_id(user_id, execution_id), ExecutionRow.step_outputs, _MISSING)


def output(session: Session, user_id: UUID, execution_id: UUID, key: str) -> Any:
    """Read the output of one step. Raises NotFound."""
    return within_bytes.output(
        session, _by_id(user_id, execution_id), ExecutionRow.step_outputs, ExecutionRow.outputs_order, key
    )


def output_in(session: Session, execution: ExecutionView, frame: int, key: str) -> Any:
    """Read the output of one step in a frame. Raises NotFound."""
    if frame == ROOT:
        return output(session, execution.user_id, execution.id, key)
    return frames.output(session, execution.id, frame, key)


def _by_id(user_id: UUID, execution_id: UUID) -> Select[ExecutionRow]:
    return select(ExecutionRow).where(ExecutionRow.id == execution_id, ExecutionRow.user_id == user_id)


def replays(session: Session, execution_id: UUID) -> Sequence[ExecutionSummary]:
    """List the latest replays of the execution, newest first."""
    again = select(*SUMMARY_COLUMNS).where(ExecutionRow.replay_of == execution_id).order_by(ExecutionRow.id.desc())
    return [ExecutionSummary(*row) for row in session.execute(again.limit(REPLAYS_SHOWN))]


def cancel_all(session: Session, backends: Backends, user_id: UUID) -> int:
    """Cancels every execution of the user that is not over, a batch in a transaction; returns how many. They are
    announced where this process has a bus; elsewhere upkeep finds what is owed."""
    cancelled = 0
    while ids := session.scalars(_not_over(user_id).limit(_CANCELLED_AT_ONCE)).all():
        connection = session.connection()
        ended = ending_store.cancel(connection, ids)
        following = completion.complete(connection, ended, backends.settings.payload_inline_limit)
        session.commit()
        if backends.settings.redis_url is not None:
            announce_quietly(backends.bus, following.messages)
            answers.notify(backends.redis, following.answered)
        cancelled += len(ended)
    return cancelled


def _not_over(user_id: UUID) -> Select[UUID]:
    is_open = ExecutionRow.status.in_(("PENDING", "RUNNING"))
    return select(ExecutionRow.id).where(ExecutionRow.user_id == user_id, is_open)


def cancel(session: Session, backends: Backends, user_id: UUID, execution_id: UUID) -> ExecutionView:
    """PENDING and RUNNING become CANCELLED, and so do the executions it has called; what is over stays as it is.
    Commits. Raises NotFound."""
    row = _load(session, user_id, execution_id)
    connection = session.connection()
    cancelled = ending_store.cancel(connection, [row.id])
    if cancelled:
        record(session, Action.EXECUTION_CANCELLED, by=user_id, on=execution_id)
    following = completion.complete(connection, cancelled, backends.settings.payload_inline_limit)
    session.commit()
    announce_quietly(backends.bus, following.messages)
    answers.notify(backends.redis, following.answered)
    session.refresh(row)
    return execution_view(ExecutionView, row)
