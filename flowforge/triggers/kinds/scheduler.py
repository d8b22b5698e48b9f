"""Started by the clock: at intervals, or by a cron expression in a time zone (contract.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator
from pydantic.alias_generators import to_camel

from flowforge import time_zones
from flowforge.errors import Invalid, Problem
from flowforge.triggers.kind import Registered, TriggerConfig, TriggerKind
from flowforge.triggers.schedules.in_words import cron_in_words, interval_in_words
from flowforge.triggers.schedules.schedule import (
    DEFAULT_INTERVAL_MINUTES,
    LONGEST_INTERVAL_MINUTES,
    SHORTEST_INTERVAL_SECONDS,
    CatchUp,
    Cron,
    Schedule,
    checked_cron,
    checked_zone,
    every,
)

SCHEDULER = "scheduler"
_INTERVALS = ("interval_minutes", "interval_seconds")


def _no_flag(value: Any) -> Any:
    """Pydantic takes true for 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


Minutes = Annotated[
    float | None,
    Field(ge=1, le=LONGEST_INTERVAL_MINUTES, allow_inf_nan=False),
    BeforeValidator(_no_flag),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 1, "maximum": LONGEST_INTERVAL_MINUTES},
                {"type": "string"},
                {"type": "null"},
            ]
        }
    ),
]
"""A number, or a text that is one: the contract's clients send both."""
Seconds = Annotated[
    float | None,
    Field(ge=SHORTEST_INTERVAL_SECONDS, le=LONGEST_INTERVAL_MINUTES * 60, allow_inf_nan=False),
    BeforeValidator(_no_flag),
]


class Config(TriggerConfig):
    interval_minutes: Minutes = Field(
        None,
        title="Interval minutes",
        description="Fires each time so many minutes are over.",
        json_schema_extra={"default": DEFAULT_INTERVAL_MINUTES},
    )
    interval_seconds: Seconds = Field(
        None, title="Interval seconds", description="Instead of minutes, for short ones; from 10."
    )
    cron: Annotated[str, AfterValidator(checked_cron)] | None = Field(
        None,
        title="Cron",
        description="Five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, …",
    )
    time_zone: Annotated[str, AfterValidator(checked_zone)] = Field(
        "UTC", title="Time zone", description="Of the cron expression, such as Europe/Berlin."
    )
    catch_up: Annotated[CatchUp, BeforeValidator(_lower_case)] = Field(
        CatchUp.LAST, title="Catch up", description="Which missed times fire when it runs again."
    )

    @field_validator("interval_seconds", "cron")
    @classmethod
    def _one_way_to_say_when(cls, chosen: Any, others: ValidationInfo) -> Any:
        earlier = [name for name in _INTERVALS if others.data.get(name) is not None]
        if chosen is not None and earlier:
            raise ValueError(f"give either this or {to_camel(earlier[0])}, not both")
        return chosen

    @property
    def schedule(self) -> Schedule:
        if self.cron is not None:
            return Schedule(Cron(self.cron, ZoneInfo(self.time_zone)), self.catch_up)
        if self.interval_seconds is not None:
            return Schedule(every(seconds=self.interval_seconds), self.catch_up)
        return Schedule(every(self.interval_minutes or DEFAULT_INTERVAL_MINUTES), self.catch_up)


class Scheduler(TriggerKind[Config]):
    type = SCHEDULER
    title = "Schedule"
    help = "At certain times, or again and again"
    icon = "clock"
    keywords = (
        "cron",
        "timer",
        "interval",
        "clock",
        "daily",
        "hourly",
    )
    rank = 20
    config = Config
    has_times = True

    def problems(self, config: Mapping[str, Any]) -> list[Problem]:
        """Also of zones that are not the same everywhere, or not what people mean: schedules that are stored go on by
        them."""
        found = super().problems(config)
        if not found and (flaw := _flaw_of_zone(self.read(config).time_zone)):
            found = [Problem("/timeZone", flaw)]
        return found

    def describe(self, config: Mapping[str, Any]) -> str:
        """Describe the schedule in words: `At 02:30, Monday through Friday (Europe/Berlin)`, `Every 5 minutes`."""
        try:
            pattern = self.read(config).schedule.pattern
        except Invalid as error:
            return f"Not readable: {error}"
        return cron_in_words(pattern) if isinstance(pattern, Cron) else interval_in_words(pattern)

    def due_at(self, config: Mapping[str, Any], before: Registered, now: datetime) -> datetime | None:
        """An edit that leaves the times as they were does not move the next one."""
        schedule = schedule_of(config)
        if before.is_waiting and self._pattern(before.config) == schedule.pattern:
            return before.due_at
        return schedule.next_after(now)

    def upcoming(self, config: Mapping[str, Any], moment: datetime, count: int) -> list[datetime]:
        try:
            return schedule_of(config).upcoming(moment, count, moment)
        except Invalid:
            return []

    def _pattern(self, config: Mapping[str, Any]) -> object:
        try:
            return schedule_of(config).pattern
        except Invalid:
            return None


KIND = Scheduler()


def _flaw_of_zone(name: str) -> str | None:
    place = time_zones.place_of(name)
    if place is not None:
        return f"{name} has no summer time, whatever the clocks on the wall do; did you mean {place}?"
    try:
        time_zones.zone(name)
    except ValueError as error:
        return str(error)
    return None


def schedule_of(config: Mapping[str, Any]) -> Schedule:
    """Raises Invalid with a pointer to each field that cannot be used."""
    return KIND.read(config).schedule
