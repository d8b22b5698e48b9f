"""The newest executions, each with the name of its workflow: for those who look for one of them by a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, Workflow


@dataclass(frozen=True, slots=True)
class RecentExecution:
    id: UUID
    status: str
    created_at: datetime
    workflow: str | None
    """None where the workflow is deleted."""


def recent(session: Session, user_id: UUID, size: int) -> Sequence[RecentExecution]:
    """The newest first. One statement, which reads no more rows than it returns."""
    rows = _mine(user_id).order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc()).limit(size)
    return [RecentExecution(*row) for row in session.execute(rows)]


def with_id(session: Session, user_id: UUID, execution_id: UUID) -> RecentExecution | None:
    row = session.execute(_mine(user_id).where(ExecutionRow.id == execution_id)).first()
    return RecentExecution(*row) if row else None


def _mine(user_id: UUID) -> Select[UUID, str, datetime, str | None]:
    own = and_(Workflow.id == ExecutionRow.workflow_id, Workflow.user_id == user_id)
    return (
        select(ExecutionRow.id, ExecutionRow.status, ExecutionRow.created_at, Workflow.name)
        .outerjoin(Workflow, own)
        .where(ExecutionRow.user_id == user_id)
    )
