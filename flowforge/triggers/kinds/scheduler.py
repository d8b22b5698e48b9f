"""Started by the clock: at intervals, or by a cron expression in a time zone (contract.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from flowforge.errors import Invalid, Problem
from flowforge.fields import field
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of
from flowforge.triggers.kind import Registered, TriggerKind
from flowforge.triggers.schedules.schedule import DEFAULT_INTERVAL_MINUTES, CatchUp, Schedule
from flowforge.triggers.schedules.schedule_form import schedule_view
from flowforge.triggers.schedules.times import Times, in_zone
from flowforge.triggers.summary import TriggerSummary

SCHEDULER = "scheduler"


def _lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Config(Times):
    catch_up: Annotated[CatchUp, BeforeValidator(_lower_case)] = field(
        CatchUp.LAST,
        title="Missed runs",
        description="What happens to runs that were missed while FlowForge was down.",
        labels={"last": "Run once", "all": "Run all of them", "none": "Skip them"},
    )

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.pattern, self.catch_up)


class Scheduler(TriggerKind[Config]):
    type = SCHEDULER
    title = "Schedule"
    help = "On a schedule"
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
    form_view = schedule_view(DEFAULT_INTERVAL_MINUTES)

    def problems(self, config: Mapping[str, Any]) -> list[Problem]:
        """Also of zones that are not the same everywhere, or not what people mean: schedules that are stored go on by
        them."""
        return super().problems(config) or self.read(config).problems_of_zone()

    def summary(self, config: Mapping[str, Any]) -> TriggerSummary:
        try:
            return TriggerSummary(times=self.read(config).pattern)
        except Invalid as error:
            return TriggerSummary(problem=message_of(error))

    def in_zone(self, config: Mapping[str, Any], zone: str | None) -> JsonObject:
        return in_zone(config, zone)

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


def schedule_of(config: Mapping[str, Any]) -> Schedule:
    """Raises Invalid with a pointer to each field that cannot be used."""
    return KIND.read(config).schedule
