"""Firing schedules: every due time leads to exactly one accepted event, whatever number of schedulers looks."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Text, and_, cast, func, select, text

from flowforge import jsonio
from flowforge.db.engine import unavailable_when_down
from flowforge.db.refused_work import explain, refusal_of
from flowforge.db.tables import TriggerRegistration
from flowforge.engine import intake
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.triggers.kinds.scheduler import SCHEDULER, schedule_of
from flowforge.triggers.schedules.schedule import PUNCTUAL, CatchUp, Cron, Due, Schedule
from flowforge.wiring import Backends

BATCH = 500
LONGEST_TICK_SECONDS = 20.0
"""Time after which a tick leaves what else is due to the next one: its job may not take much longer."""
CATCH_UP_PER_TICK = 20
"""Missed times of one schedule that fire in one tick; the others follow in the next ticks."""
RECHECK_BROKEN = timedelta(hours=1)

DueTimes = Callable[[Schedule, datetime], Due]
"""What of a schedule is to fire now, by the due time that was waited for."""

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

    Each schedule has one turn, and those that catch up with all their missed times have theirs last: they hold up
    neither the punctual ones nor each other. What one has missed beyond CATCH_UP_PER_TICK follows in the next ticks.
    A due row is locked, its events are recorded and its next time is written in one transaction (invariant 7); the
    events are announced afterwards, and what cannot be announced is sent later by upkeep. Raises Unavailable.
    """
    moment = now or datetime.now(UTC)
    until = time.monotonic() + LONGEST_TICK_SECONDS
    due_times = _due_times(moment)
    fired = 0
    still_due: set[UUID] = set()
    while True:
        with unavailable_when_down(), backends.engine.begin() as connection:
            rows = _take_due(connection, moment, still_due)
            outcomes = [_decide(row, moment, due_times) for row in rows]
            accepted = intake.record(connection, [event for outcome in outcomes for event in outcome.events])
            _write(connection, outcomes, moment)
        if accepted:
            intake.announce(backends.bus, accepted, inline_limit=backends.settings.payload_inline_limit)
        fired += len(accepted)
        still_due.update(outcome.trigger_id for outcome in outcomes if outcome.next_at <= moment)
        if len(rows) < BATCH or time.monotonic() > until:
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
            cast(trigger.configuration, Text).label("configuration"),
            trigger.next_scheduled_at,
            refusal_of(trigger.user_id).label("refusal"),
        )
        .where(trigger.enabled, func.lower(trigger.trigger_type) == SCHEDULER)
        .with_for_update(skip_locked=True)
    )


def _take_due(connection: Connection, now: datetime, taken: Collection[UUID]) -> Sequence[Row[Any]]:
    """None of those that this tick has `taken`; those that catch up come last."""
    due_at = TriggerRegistration.next_scheduled_at
    is_due = and_(due_at <= now, TriggerRegistration.id.not_in(taken))
    return connection.execute(_schedules().where(is_due).order_by(_catches_up(now), due_at).limit(BATCH)).fetchall()


def _catches_up(now: datetime) -> ColumnElement[bool]:
    """Whether a due schedule has missed times that each fire."""
    fires_each = func.lower(TriggerRegistration.configuration["catchUp"].astext) == CatchUp.ALL
    return func.coalesce(and_(fires_each, TriggerRegistration.next_scheduled_at < now - PUNCTUAL), False)


def _due_times(now: datetime) -> DueTimes:
    """Computes each due time once, since many schedules share them: those of a full hour, most of all."""
    return functools.cache(lambda schedule, since: schedule.due(since, now, CATCH_UP_PER_TICK))


def _decide(row: Row[Any], now: datetime, due_times: DueTimes) -> Outcome:
    try:
        schedule = _schedule_of(row.configuration)
        due = due_times(schedule, row.next_scheduled_at)
    except (Invalid, ValueError, OverflowError) as error:
        return _disable_broken(row, now, error)
    if row.refusal is not None:
        return _refused(row, schedule, now)
    return Outcome(row.id, due.next, tuple(_events(row, schedule, due, now)))


def _first(row: Row[Any], now: datetime) -> Outcome:
    try:
        return Outcome(row.id, _schedule_of(row.configuration).next_after(now))
    except (Invalid, ValueError, OverflowError) as error:
        return _disable_broken(row, now, error)


@functools.lru_cache(maxsize=1024)
def _schedule_of(configuration: str | None) -> Schedule:
    """Adopted rows hold any JSON there."""
    config = None if configuration is None else jsonio.loads(configuration)
    if config is not None and not isinstance(config, dict):
        raise Invalid.at("/configuration", sentence("must be an object"))
    return schedule_of(config or {})


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
