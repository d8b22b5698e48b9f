"""Schedules: intervals, and cron in a time zone. Pure: the time is always passed in.

Cron follows Debian's cron where clocks change: a time that the change skips fires at the first moment after the gap; a
time that the change repeats fires once; expressions whose minute or hour starts with `*` go on at their real intervals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from flowforge import time_zones
from flowforge.sentences import either, sentence

DEFAULT_INTERVAL_MINUTES = 60
LONGEST_INTERVAL_MINUTES = 10 * 366 * 24 * 60
SHORTEST_INTERVAL_SECONDS = 10
LONGEST_CRON = 200
CRON_FIELDS = 5
PUNCTUAL = timedelta(minutes=1)
"""A due time that is seen this much later still counts as met, not as missed."""

_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_NAMES = either(["@hourly, @daily, @weekly, @monthly", "@yearly"])
_ANY_MOMENT = datetime(2001, 1, 1, tzinfo=UTC)
_LONGEST_CLOCK_CHANGE = timedelta(days=1)


class CatchUp(StrEnum):
    """Handling of due times that passed while nothing was running."""

    LAST = "last"  # they collapse into the latest one
    ALL = "all"  # each fires, in order
    NONE = "none"  # they are skipped


@dataclass(frozen=True, slots=True)
class Due:
    """The due times to fire now, and the next one to wait for."""

    times: tuple[datetime, ...]
    next: datetime


@dataclass(frozen=True, slots=True)
class Every:
    """A fixed interval, counted from an anchor: some due time of the schedule."""

    interval: timedelta

    def after(self, moment: datetime, anchor: datetime) -> Iterator[datetime]:
        due = anchor + ((moment - anchor) // self.interval + 1) * self.interval
        while True:
            yield due
            due += self.interval

    def last_until(self, moment: datetime, anchor: datetime) -> datetime:
        return anchor + (moment - anchor) // self.interval * self.interval


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression on the clocks of a time zone."""

    expression: str
    zone: ZoneInfo

    def after(self, moment: datetime, anchor: datetime) -> Iterator[datetime]:
        del anchor  # the expression alone says when
        for local in CronSim(self.expression, moment.astimezone(self.zone)):
            # In a repeated hour cronsim starts again with the hour's first pass, which may lie behind us.
            if (due := local.astimezone(UTC)) > moment:
                yield due

    def last_until(self, moment: datetime, anchor: datetime) -> datetime:
        """`anchor` is a due time at or before `moment`, so there is an answer."""
        last = anchor
        for due in self.after(max(anchor, self._shortly_before_the_last(moment)), anchor):
            if due > moment:
                break
            last = due
        return last

    def _shortly_before_the_last(self, moment: datetime) -> datetime:
        """Spares a walk through all the downtime. The margin: backwards, cronsim may differ around a clock change."""
        last = next(CronSim(self.expression, moment.astimezone(self.zone), reverse=True))
        return last.astimezone(UTC) - _LONGEST_CLOCK_CHANGE


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times at which a scheduler trigger fires. All answers are in UTC."""

    pattern: Every | Cron
    catch_up: CatchUp = CatchUp.LAST

    @property
    def interval_minutes(self) -> float | None:
        """The interval, where it is one; whole numbers as int."""
        if isinstance(self.pattern, Cron):
            return None
        minutes = self.pattern.interval.total_seconds() / 60
        return int(minutes) if minutes.is_integer() else minutes

    def next_after(self, moment: datetime, anchor: datetime | None = None) -> datetime:
        """The first due time behind `moment`. Intervals count from `anchor`, any due time (default: from `moment`)."""
        return next(self.pattern.after(moment, anchor or moment)).astimezone(UTC)

    def upcoming(self, moment: datetime, count: int, anchor: datetime | None = None) -> list[datetime]:
        """The next `count` due times behind `moment`. For an interval pass the trigger's next time as `anchor`."""
        return [due.astimezone(UTC) for due in islice(self.pattern.after(moment, anchor or moment), count)]

    def due(self, since: datetime, now: datetime, limit: int) -> Due:
        """Compute the times to fire at `now` when `since` is the due time that was waited for (`since` <= `now`).

        At most `limit` times come at once; if more are left, `next` is the first of them and lies in the past.
        """
        if self.catch_up is CatchUp.ALL:
            return self._due_each(since, now, limit)
        last = self.pattern.last_until(now, since).astimezone(UTC)
        missed = self.catch_up is CatchUp.NONE and now - last > PUNCTUAL
        return Due(times=() if missed else (last,), next=self.next_after(now, since))

    def _due_each(self, since: datetime, now: datetime, limit: int) -> Due:
        times = [since.astimezone(UTC)]
        for due in self.pattern.after(since, since):
            if due > now or len(times) >= limit:
                return Due(tuple(times), due.astimezone(UTC))
            times.append(due.astimezone(UTC))
        raise AssertionError("a schedule has no end")


def every(minutes: float = 0, seconds: float = 0) -> Every:
    return Every(timedelta(minutes=minutes, seconds=seconds))


def checked_zone(name: str) -> str:
    """Raises ValueError for what is not the name of a time zone, on this machine at least."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        time_zones.zone(name)
    return name


def checked_cron(expression: str) -> str:
    """The expression as five fields with single spaces. Raises ValueError for one that cannot fire."""
    fields = _MACROS.get(expression.strip().lower(), expression).split()
    if len(expression) > LONGEST_CRON or len(fields) != CRON_FIELDS:
        raise ValueError(
            sentence(
                "must have five fields: minute, hour, day of month, month, day of week; or be %(names)s", names=_NAMES
            )
        )
    expression = " ".join(fields)
    try:
        next(CronSim(expression, _ANY_MOMENT))
    except CronSimError as error:
        raise ValueError(
            sentence("is not a cron expression that can fire: %(reason)s", reason=str(error).lower())
        ) from error
    except StopIteration as error:
        raise ValueError(sentence("never fires")) from error
    return expression
