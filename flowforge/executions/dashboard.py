"""Figures of the home page: failures, running executions, throughput, next due times.

Each figure comes from an index and is bounded; hours that are over are counted once and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionHour, ExecutionRow, TriggerRegistration
from flowforge.executions.views import SUMMARY_COLUMNS, ExecutionSummary
from flowforge.triggers.kinds import timed_types

SHOWN = 6
COUNTED_TO = 1_000
_HOUR = timedelta(hours=1)
_SETTLED = timedelta(minutes=2)
"""The time after an hour's end within which a transaction that began in it may still commit."""


@dataclass(frozen=True, slots=True)
class Hour:
    """Executions that ended between `start` and an hour later."""

    start: datetime
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def ended(self) -> int:
        return self.completed + self.failed + self.cancelled


@dataclass(frozen=True, slots=True)
class Throughput:
    """Throughput by the hour, oldest first; the current hour is last."""

    hours: Sequence[Hour]

    @property
    def ended(self) -> int:
        return sum(hour.ended for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)

    @property
    def success_rate(self) -> float | None:
        """The share of completed executions among those that completed or failed; None where none did."""
        completed = sum(hour.completed for hour in self.hours)
        ended = completed + self.failed
        return completed / ended if ended else None


@dataclass(frozen=True, slots=True)
class NextRun:
    """The time at which a trigger fires next."""

    workflow_id: UUID
    trigger_id: UUID
    trigger_type: str
    at: datetime


def throughput(session: Session, user_id: UUID, hours: int, now: datetime) -> Throughput:
    """Commits what it counted for good. At most three statements."""
    latest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    wanted = [latest - index * _HOUR for index in reversed(range(hours))]
    counted = {hour.start: hour for hour in _read_counted(session, user_id, wanted[0])}
    missing = [start for start in wanted if start not in counted]
    fresh = _count_hours(session, user_id, missing)
    over = [hour for hour in fresh if hour.start + _HOUR + _SETTLED < now]
    if over:
        _keep(session, user_id, over)
    counted |= {hour.start: hour for hour in fresh}
    return Throughput([counted[start] for start in wanted])


def failures(session: Session, user_id: UUID, since: datetime) -> Sequence[ExecutionSummary]:
    """The newest SHOWN."""
    newest = _latest(user_id).where(ExecutionRow.status == "FAILED", ExecutionRow.created_at >= since)
    return [ExecutionSummary(*row) for row in session.execute(newest.limit(SHOWN))]


def running(session: Session, user_id: UUID) -> Sequence[ExecutionSummary]:
    """The newest SHOWN that are not over."""
    newest = _latest(user_id).where(ExecutionRow.status.in_(("PENDING", "RUNNING")))
    return [ExecutionSummary(*row) for row in session.execute(newest.limit(SHOWN))]


def count_running(session: Session, user_id: UUID) -> int:
    """Counted up to COUNTED_TO."""
    ours = select(ExecutionRow.id).where(
        ExecutionRow.user_id == user_id, ExecutionRow.status.in_(("PENDING", "RUNNING"))
    )
    return session.scalar(select(func.count()).select_from(ours.limit(COUNTED_TO).subquery())) or 0


def next_runs(session: Session, user_id: UUID) -> Sequence[NextRun]:
    """The SHOWN triggers that fire next, of those whose times are known."""
    due = (
        select(
            TriggerRegistration.workflow_id,
            TriggerRegistration.id,
            TriggerRegistration.trigger_type,
            TriggerRegistration.next_scheduled_at,
        )
        .where(
            TriggerRegistration.user_id == user_id,
            TriggerRegistration.enabled,
            func.lower(TriggerRegistration.trigger_type).in_(timed_types()),
            TriggerRegistration.next_scheduled_at.is_not(None),
        )
        .order_by(TriggerRegistration.next_scheduled_at, TriggerRegistration.id)
    )
    rows = session.execute(due.limit(SHOWN)).all()
    return [NextRun(workflow_id, id_, type_, at) for workflow_id, id_, type_, at in rows if at is not None]


def _latest(user_id: UUID) -> Any:
    return (
        select(*SUMMARY_COLUMNS)
        .where(ExecutionRow.user_id == user_id)
        .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
    )


def _read_counted(session: Session, user_id: UUID, since: datetime) -> list[Hour]:
    rows = session.scalars(select(ExecutionHour).where(ExecutionHour.user_id == user_id, ExecutionHour.hour >= since))
    return [Hour(row.hour, row.completed, row.failed, row.cancelled) for row in rows]


def _count_hours(session: Session, user_id: UUID, missing: Sequence[datetime]) -> list[Hour]:
    """Count the executions themselves, for each of the hours, also the empty ones."""
    if not missing:
        return []
    hour = func.date_trunc("hour", ExecutionRow.finished_at, "UTC")
    found = session.execute(
        select(hour, ExecutionRow.status, func.count())
        .where(
            ExecutionRow.user_id == user_id,
            ExecutionRow.finished_at >= missing[0],
            ExecutionRow.finished_at < missing[-1] + _HOUR,
        )
        .group_by(hour, ExecutionRow.status)
    )
    counts: dict[datetime, dict[str, int]] = {start: {} for start in missing}
    for start, status, number in found:
        if start in counts:
            counts[start][status.lower()] = number
    statuses = ("completed", "failed", "cancelled")
    return [Hour(start, *(by_status.get(status, 0) for status in statuses)) for start, by_status in counts.items()]


def _keep(session: Session, user_id: UUID, hours: Sequence[Hour]) -> None:
    rows = [
        {
            "user_id": user_id,
            "hour": hour.start,
            "completed": hour.completed,
            "failed": hour.failed,
            "cancelled": hour.cancelled,
        }
        for hour in hours
    ]
    session.execute(insert(ExecutionHour).values(rows).on_conflict_do_nothing())
    session.commit()
