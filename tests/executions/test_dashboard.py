"""The figures of the first page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionHour, ExecutionRow, TriggerRegistration
from flowforge.executions import dashboard
from flowforge.ids import uuid7
from tests.stored_rows import NOON

Execution = Callable[..., UUID]
NOW = NOON + timedelta(minutes=30)


def ended(execution: Execution, minutes: float, status: str = "COMPLETED", **columns: object) -> UUID:
    return execution(minutes, status=status, finished_at=NOON + timedelta(minutes=minutes), **columns)


def test_what_ended_is_counted_by_the_hour(session: Session, user_id: UUID, execution: Execution) -> None:
    ended(execution, 5)
    ended(execution, 10, "FAILED")
    ended(execution, -5)
    ended(execution, -90, "CANCELLED")
    ended(execution, -300)
    execution(status="RUNNING")
    ended(execution, 1, user_id=uuid7())
    found = dashboard.throughput(session, user_id, 4, NOW)
    assert [(hour.completed, hour.failed, hour.cancelled) for hour in found.hours] == [
        (0, 0, 0),
        (0, 0, 1),
        (1, 0, 0),
        (1, 1, 0),
    ]
    assert (found.ended, found.failed, found.success_rate) == (4, 1, 2 / 3)


def test_hours_that_are_over_are_counted_once_and_outlive_their_executions(
    session: Session, user_id: UUID, execution: Execution
) -> None:
    ended(execution, -90)
    ended(execution, 5)
    dashboard.throughput(session, user_id, 3, NOW)
    session.execute(delete(ExecutionRow))
    session.commit()
    assert [hour.completed for hour in dashboard.throughput(session, user_id, 3, NOW).hours] == [1, 0, 0]
    assert session.scalar(select(func.count()).select_from(ExecutionHour)) == 2


def test_an_hour_that_is_hardly_over_is_counted_again(session: Session, user_id: UUID, execution: Execution) -> None:
    ended(execution, -10)
    just_after = NOON + timedelta(seconds=30)
    dashboard.throughput(session, user_id, 2, just_after)
    ended(execution, -1)
    assert dashboard.throughput(session, user_id, 2, just_after).hours[0].completed == 2


def test_nothing_is_no_success(session: Session, user_id: UUID) -> None:
    assert dashboard.throughput(session, user_id, 24, NOW).success_rate is None


def test_failures_and_runs_are_the_newest_of_ones_own(session: Session, user_id: UUID, execution: Execution) -> None:
    failed = [execution(minute, status="FAILED") for minute in range(dashboard.SHOWN + 2)]
    execution(99, status="FAILED", user_id=uuid7())
    under_way = [execution(status="PENDING"), execution(1, status="RUNNING")]
    found = dashboard.failures(session, user_id, NOON)
    assert [row.id for row in found] == failed[: -dashboard.SHOWN - 1 : -1]
    assert [row.id for row in dashboard.running(session, user_id)] == under_way[::-1]
    assert dashboard.count_running(session, user_id) == 2


def test_the_next_runs_are_those_of_enabled_schedules(session: Session, user_id: UUID) -> None:
    def trigger(kind: str, minutes: int, enabled: bool = True, owner: UUID = user_id) -> None:
        session.add(
            TriggerRegistration(
                workflow_id=UUID(int=minutes),
                user_id=owner,
                trigger_type=kind,
                enabled=enabled,
                next_scheduled_at=NOON + timedelta(minutes=minutes),
            )
        )

    trigger("scheduler", 20)
    trigger("Scheduler", 10)
    trigger("scheduler", 1, enabled=False)
    trigger("email", 2)
    trigger("scheduler", 3, owner=uuid7())
    session.commit()
    assert [row.workflow_id.int for row in dashboard.next_runs(session, user_id)] == [10, 20]


def test_the_number_of_statements_is_bounded(
    session: Session,
    user_id: UUID,
    execution: Execution,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for minute in range(-600, 0, 20):
        ended(execution, minute)
    with statements() as first:
        dashboard.throughput(session, user_id, 24, NOW)
    with statements() as later:
        dashboard.throughput(session, user_id, 24, NOW)
    assert (len(first), len(later)) == (3, 2)
