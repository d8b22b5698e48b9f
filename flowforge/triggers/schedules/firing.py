"""Firing schedules: every due time leads to exactly one accepted event, whatever number of schedulers looks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, text

from flowforge import jsonio
from flowforge.db.engine import unavailable_when_down
from flowforge.db.refused_work import explain, refusal_of
from flowforge.db.tables import TriggerRegistration
from flowforge.engine import intake
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.triggers.kinds.scheduler import SCHEDULER, schedule_of
from flowforge.triggers.schedules.schedule import Cron, Due, Schedule
from flowforge.wiring import Backends

BATCH = 100
BATCHES_PER_TICK = 20
CATCH_UP_PER_TICK = 20
"""Missed times of one schedule that fire in one tick; the others follow in the next ticks."""
RECHECK_BROKEN = timedelta(hours=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one due trigger in this tick."""

    trigger_id: UUID
    next_at: datetime
    events: tuple[intake.NewEvent, ...] = ()
    error: str | None = None


def fire_due(backends: Backends, now: datetime | None = None) -> int:
    """Accept an event for every due time of every schedule; returns how many.

    A due row is locked, its events are recorded and its next time is written in one transaction (invariant 7); the
    events are announced afterwards, and what cannot be announced is sent later by upkeep. Raises Unavailable.
    """
    moment = now or datetime.now(UTC)
    fired = 0
    for _ in range(BATCHES_PER_TICK):
        with unavailable_when_down(), backends.engine.begin() as connection:
            rows = _take_due(connection, moment)
            outcomes = [_decide(row, moment) for row in rows]
            accepted = intake.record(connection, [event for outcome in outcomes for event in outcome.events])
            _write(connection, outcomes, moment)
        if accepted:
            intake.announce(backends.bus, accepted, inline_limit=backends.settings.payload_inline_limit)
        fired += len(accepted)
        if len(rows) < BATCH:
            break
    return fired


def start_unscheduled(backends: Backends, now: datetime | None = None) -> int:
    """Give a first due time to enabled schedules that have none, such as those of an adopted database."""
    moment = now or datetime.now(UTC)
    with unavailable_when_down(), backends.engine.begin() as connection:
        rows = connection.execute(
            _schedules().where(TriggerRegistration.next_scheduled_at.is_(None)).limit(BATCH)
        ).fetchall()
        _write(connection, [_first(row, moment) for row in rows], moment)
    return len(rows)


def _schedules() -> Any:
    """Enabled schedules, locked; those that another scheduler holds are left to it."""
    trigger = TriggerRegistration
    return (
        select(
            trigger.id,
            trigger.workflow_id,
            trigger.user_id,
            trigger.configuration,
            trigger.next_scheduled_at,
            refusal_of(trigger.user_id).label("refusal"),
        )
        .where(trigger.enabled, func.lower(trigger.trigger_type) == SCHEDULER)
        .with_for_update(skip_locked=True)
    )


def _take_due(connection: Connection, now: datetime) -> Sequence[Row[Any]]:
    due_at = TriggerRegistration.next_scheduled_at
    return connection.execute(_schedules().where(due_at <= now).order_by(due_at).limit(BATCH)).fetchall()


def _decide(row: Row[Any], now: datetime) -> Outcome:
    try:
        schedule = schedule_of(_configuration(row))
        due = schedule.due(row.next_scheduled_at, now, CATCH_UP_PER_TICK)
    except (Invalid, ValueError, OverflowError) as error:
        return _disable_broken(row, now, error)
    if row.refusal is not None:
        return _refused(row, schedule, now)
    return Outcome(row.id, due.next, tuple(_events(row, schedule, due, now)))


def _first(row: Row[Any], now: datetime) -> Outcome:
    try:
        return Outcome(row.id, schedule_of(_configuration(row)).next_after(now))
    except (Invalid, ValueError, OverflowError) as error:
        return _disable_broken(row, now, error)


def _configuration(row: Row[Any]) -> JsonObject:
    """Adopted rows hold any JSON there."""
    if row.configuration is None:
        return {}
    if not isinstance(row.configuration, dict):
        raise Invalid.at("/configuration", sentence("must be an object"))
    return row.configuration


def _disable_broken(row: Row[Any], now: datetime, error: Exception) -> Outcome:
    log.warning("The schedule of trigger %s cannot be used: %s", row.id, error)
    return Outcome(row.id, now + RECHECK_BROKEN, error=str(error))


def _refused(row: Row[Any], schedule: Schedule, now: datetime) -> Outcome:
    """Times at which the owner's work is not accepted pass, and are not made up for."""
    return Outcome(row.id, schedule.next_after(now), error=explain(row.refusal))


def _events(row: Row[Any], schedule: Schedule, due: Due, now: datetime) -> list[intake.NewEvent]:
    return [
        intake.NewEvent(
            trigger_id=row.id,
            workflow_id=row.workflow_id,
            user_id=row.user_id,
            trigger_type=SCHEDULER,
            payload={},
            metadata=_metadata(schedule, scheduled, now),
        )
        for scheduled in due.times
    ]


def _metadata(schedule: Schedule, scheduled: datetime, now: datetime) -> JsonObject:
    """The contract's keys, and the expression where it is cron."""
    metadata: JsonObject = {
        "source": SCHEDULER,
        "scheduledTime": jsonio.format_time(scheduled),
        "executedAt": jsonio.format_time(now),
    }
    if isinstance(schedule.pattern, Cron):
        return metadata | {"cron": schedule.pattern.expression, "timeZone": schedule.pattern.zone.key}
    return metadata | {"intervalMinutes": schedule.interval_minutes}


_WRITE = text(
    """
    UPDATE trigger_service.trigger_registrations AS trigger
       SET next_scheduled_at = outcome.next_at,
           last_triggered_at = CASE WHEN outcome.fired THEN :now ELSE trigger.last_triggered_at END,
           last_success_at = CASE WHEN outcome.fired THEN :now ELSE trigger.last_success_at END,
           last_error = coalesce(outcome.error, trigger.last_error),
           last_error_at = CASE WHEN outcome.error IS NULL THEN trigger.last_error_at ELSE :now END
      FROM unnest(CAST(:ids AS uuid[]), CAST(:next_ats AS timestamptz[]), CAST(:fired AS boolean[]),
                  CAST(:errors AS text[])) AS outcome (id, next_at, fired, error)
     WHERE trigger.id = outcome.id
    """
)


def _write(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
    """`updated_at` stays: it records when a person changed the trigger."""
    if not outcomes:
        return
    connection.execute(
        _WRITE,
        {
            "now": now,
            "ids": [str(outcome.trigger_id) for outcome in outcomes],
            "next_ats": [outcome.next_at for outcome in outcomes],
            "fired": [bool(outcome.events) for outcome in outcomes],
            "errors": [outcome.error for outcome in outcomes],
        },
    )
