"""The latest runs of one workflow, tests included. An index answers: the cost does not grow with their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.db.executions_of import is_of
from flowforge.db.tables import ExecutionRow, WorkflowVersion

SHOWN = 20


@dataclass(frozen=True, slots=True)
class RecentRun:
    id: UUID
    status: str
    trigger_type: str | None
    created_at: datetime
    finished_at: datetime | None
    replay_of: UUID | None
    version: int | None
    """None: a draft, or what was published with pinned outputs."""

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.created_at if self.finished_at else None


def recent_runs(session: Session, user_id: UUID, workflow_id: UUID, size: int = SHOWN) -> Sequence[RecentRun]:
    """List the latest runs, newest first, without their data."""
    row = ExecutionRow
    columns = (row.id, row.status, row.trigger_type, row.created_at, row.finished_at, row.replay_of)
    wanted = (
        select(*columns, WorkflowVersion.number)
        .join(WorkflowVersion, WorkflowVersion.id == row.version_id, isouter=True)
        .where(is_of(user_id, workflow_id))
        .order_by(row.created_at.desc(), row.id.desc())
    )
    return [RecentRun(*found) for found in session.execute(wanted.limit(size))]
