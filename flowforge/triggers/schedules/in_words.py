"""Schedules in plain words."""

from __future__ import annotations

from cron_descriptor import CasingTypeEnum, Options, get_description
from cron_descriptor.Exception import FormatError

from flowforge.triggers.schedules.schedule import Cron, Every


def cron_in_words(cron: Cron) -> str:
    """`At 02:30, Monday through Friday (Europe/Berlin)`."""
    return f"{_expression_in_words(cron.expression)} ({cron.zone.key})"


def interval_in_words(every: Every) -> str:
    """`Every 5 minutes`."""
    return f"Every {_span(every.interval.total_seconds() / 60)}"


def _expression_in_words(expression: str) -> str:
    options = Options()
    options.use_24hour_time_format = True
    options.locale_code = "en_US"
    options.casing_type = CasingTypeEnum.Sentence
    try:
        return str(get_description(expression, options))
    except (FormatError, ValueError, IndexError, KeyError):  # it knows less of cron than the schedule does
        return f"As the cron expression {expression} says"


def _span(minutes: float) -> str:
    for unit, name in ((24 * 60, "day"), (60, "hour")):
        if minutes >= unit and minutes % unit == 0:
            count = int(minutes // unit)
            return name if count == 1 else f"{count} {name}s"
    if minutes < 1 or (minutes * 60) % 30:
        return f"{minutes * 60:g} seconds"
    return "minute" if minutes == 1 else f"{minutes:g} minutes"
