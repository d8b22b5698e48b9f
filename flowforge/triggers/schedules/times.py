"""The times at which a trigger comes due again and again: an interval, or a cron expression in a time zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator
from pydantic.alias_generators import to_camel

from flowforge import time_zones
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence
from flowforge.triggers.kind import TriggerConfig
from flowforge.triggers.schedules.schedule import (
    DEFAULT_INTERVAL_MINUTES,
    LONGEST_INTERVAL_MINUTES,
    SHORTEST_INTERVAL_SECONDS,
    Cron,
    Every,
    checked_cron,
    checked_zone,
    every,
)

_INTERVALS = ("interval_minutes", "interval_seconds")


def _no_flag(value: Any) -> Any:
    """Pydantic takes true for 1."""
    if isinstance(value, bool):
        raise ValueError(sentence("must be a number"))
    return value


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


class Times(TriggerConfig):
    usual_minutes: ClassVar[int] = DEFAULT_INTERVAL_MINUTES
    """The interval where nothing is said."""

    interval_minutes: Minutes = Field(
        None,
        title="Interval minutes",
        description="Runs every N minutes.",
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

    @field_validator("interval_seconds", "cron")
    @classmethod
    def _one_way_to_say_when(cls, chosen: Any, others: ValidationInfo) -> Any:
        earlier = [name for name in _INTERVALS if others.data.get(name) is not None]
        if chosen is not None and earlier:
            raise ValueError(sentence("give either this or %(other)s, not both", other=to_camel(earlier[0])))
        return chosen

    @property
    def pattern(self) -> Every | Cron:
        if self.cron is not None:
            return Cron(self.cron, ZoneInfo(self.time_zone))
        if self.interval_seconds is not None:
            return every(seconds=self.interval_seconds)
        return every(self.interval_minutes or self.usual_minutes)

    def problems_of_zone(self) -> list[Problem]:
        """Problems of zones that are not the same everywhere, or not what people mean: what is stored goes on by
        them."""
        flaw = _flaw_of_zone(self.time_zone)
        return [Problem("/timeZone", flaw)] if flaw else []


def in_zone(config: Mapping[str, Any], zone: str | None) -> JsonObject:
    """The config with that time zone where it has a cron expression and names none. See TriggerKind.in_zone."""
    needs_one = zone is not None and config.get("cron") and not config.get("timeZone")
    return {**config, "timeZone": zone} if needs_one else dict(config)


def _flaw_of_zone(name: str) -> str | None:
    place = time_zones.place_of(name)
    if place is not None:
        return sentence(
            "%(name)s has no summer time, whatever the clocks on the wall do; did you mean %(place)s?",
            name=name,
            place=place,
        )
    try:
        time_zones.zone(name)
    except ValueError as error:
        return message_of(error)
    return None
