"""Schedules as people fill them in: every so often, daily, weekly or monthly at a time, or a cron expression."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flowforge.durations import UNITS, in_units, number_of, unit_field, whole
from flowforge.form_view import FORM_KIND, FormView, choice_of_way
from flowforge.jsonio import JsonObject
from flowforge.triggers.schedules.schedule import checked_cron

Values = Mapping[str, Any]

EVERY, DAILY, WEEKLY, MONTHLY, CRON = "every", "daily", "weekly", "monthly", "cron"
_KINDS = {
    EVERY: "Every …",
    DAILY: "Daily at …",
    WEEKLY: "Weekly on …",
    MONTHLY: "Monthly on …",
    CRON: "Cron expression",
}
_TIMED = (DAILY, WEEKLY, MONTHLY)
_WEEKDAYS = {
    "1": "Monday",
    "2": "Tuesday",
    "3": "Wednesday",
    "4": "Thursday",
    "5": "Friday",
    "6": "Saturday",
    "0": "Sunday",
}
_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LAST_DAY = "L"
_DAYS = [*map(str, range(1, 32)), _LAST_DAY]
_STORED = frozenset({"intervalMinutes", "intervalSeconds", "cron", "timeZone"})
_USUAL_TIME, _USUAL_DAYS, _USUAL_DAY = "09:00", ["1"], "1"
_FIXED_TIME = re.compile(r"(\d{1,2}) (\d{1,2}) (\S+) \* (\S+)")


_FIELDS: JsonObject = {
    FORM_KIND: choice_of_way("Runs", _KINDS),
    "everyAmount": {"title": "Every", "type": "number", "requiredFor": [EVERY]},
    "everyUnit": unit_field("Unit", [EVERY]),
    "onWeekdays": {
        "title": "On",
        "type": "array",
        "items": {"enum": [*_WEEKDAYS]},
        "labels": _WEEKDAYS,
        "onlyFor": [WEEKLY],
    },
    "onDayOfMonth": {
        "title": "On day",
        "enum": _DAYS,
        "labels": {_LAST_DAY: "Last day of the month"},
        "onlyFor": [MONTHLY],
        "filled": True,
        "description": "Months that do not have that day are skipped.",
    },
    "atTime": {"title": "At", "type": "string", "input": "time", "onlyFor": [*_TIMED]},
    "cron": {
        "title": "Cron expression",
        "type": "string",
        "description": "Five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly.",
        "requiredFor": [CRON],
    },
    "timeZone": {
        "title": "Time zone",
        "type": "string",
        "input": "zone",
        "default": "UTC",
        "onlyFor": [*_TIMED, CRON],
    },
}


def schedule_view(usual_minutes: int) -> FormView:
    """`usual_minutes`: the interval where nothing is said."""
    return FormView(
        fields=_FIELDS,
        stored=_STORED,
        show=partial(_show, usual_minutes),
        write=_write,
        places={"intervalMinutes": "everyAmount", "intervalSeconds": "everyAmount"},
    )


def _show(usual_minutes: int, config: Values, wanted: str | None) -> JsonObject:
    """In the plainest way that fits, unless the expression itself is wanted."""
    if not _is_cron(config):
        return _shown_interval(config, usual_minutes)
    timed = None if wanted == CRON else _fixed_time(config["cron"])
    zone = {"timeZone": config["timeZone"]} if config.get("timeZone") else {}
    return {**(timed or {FORM_KIND: CRON, "cron": config["cron"]}), **zone}


def _is_cron(config: Values) -> bool:
    return config.get("cron") not in (None, "")


def _shown_interval(config: Values, usual_minutes: int) -> JsonObject:
    if config.get("intervalSeconds") not in (None, ""):
        return _every(*in_units(config["intervalSeconds"]))
    minutes = config.get("intervalMinutes") or usual_minutes
    number = number_of(minutes)
    return _every(minutes, "minutes") if number is None else _every(*in_units(number * 60))


def _every(amount: Any, unit: str) -> JsonObject:
    return {FORM_KIND: EVERY, "everyAmount": amount, "everyUnit": unit}


def _fixed_time(cron: Any) -> JsonObject | None:
    """The fields of an expression that means one time on each of its days; None for any other."""
    found = _FIXED_TIME.fullmatch(_five_fields(cron))
    if found is None:
        return None
    at, day, weekdays = f"{int(found[2]):02}:{int(found[1]):02}", found[3], _weekdays(found[4])
    if day == "*" and weekdays is not None:
        return (
            {FORM_KIND: WEEKLY, "onWeekdays": weekdays, "atTime": at} if weekdays else {FORM_KIND: DAILY, "atTime": at}
        )
    return {FORM_KIND: MONTHLY, "onDayOfMonth": day, "atTime": at} if day in _DAYS and weekdays == [] else None


def _five_fields(cron: Any) -> str:
    """Empty for what is no cron expression."""
    try:
        return checked_cron(cron) if isinstance(cron, str) else ""
    except ValueError:
        return ""


def _weekdays(field: str) -> list[str] | None:
    """The days that a field lists, in the order of a week; none for all of them. None for what is no list of days."""
    if field == "*":
        return []
    listed = [_days_of(part) for part in field.lower().split(",")]
    known = {day for days in listed if days for day in days}
    return [day for day in _WEEKDAYS if day in known] if all(listed) else None


def _days_of(part: str) -> Sequence[str]:
    """`1-5`, `mon`; nothing for what is neither a day nor a range of days."""
    ends = [str(_NAMES.index(end)) if end in _NAMES else end for end in part.split("-")]
    if len(ends) > 2 or not all(end in "01234567" and end for end in ends):
        return ()
    return [str(day % 7) for day in range(int(ends[0]), int(ends[-1]) + 1)]


def _write(values: Values, before: Values) -> JsonObject:
    kind = values.get(FORM_KIND)
    zone = {"timeZone": values["timeZone"]} if values.get("timeZone") else {}
    if kind == CRON:
        return {"cron": values.get("cron") or before.get("cron") or _cron_of_interval(values), **zone}
    if kind in _TIMED:
        return {"cron": _cron_at(str(kind), values), **zone}
    return _interval(values)


def _interval(values: Values) -> JsonObject:
    amount, unit = values.get("everyAmount"), values.get("everyUnit")
    number = number_of(amount)
    if amount is None:
        return {}
    if number is None:
        return {"intervalMinutes": amount}
    seconds = number * UNITS.get(str(unit or "minutes"), 60)
    if seconds % 60:
        return {"intervalSeconds": whole(seconds)}
    return {"intervalMinutes": whole(seconds / 60)}


def _cron_at(kind: str, values: Values) -> str:
    """What is missing is as usual. A time that cannot be read leads to an expression that is refused."""
    hour, _, minute = str(values.get("atTime") or _USUAL_TIME).partition(":")
    time = f"{_number(minute)} {_number(hour)}"
    if kind == MONTHLY:
        return f"{time} {values.get('onDayOfMonth') or _USUAL_DAY} * *"
    return f"{time} * * {','.join(values.get('onWeekdays') or _USUAL_DAYS)}" if kind == WEEKLY else f"{time} * * *"


def _number(text: str) -> str:
    return str(int(text)) if text.isdecimal() else text


def _cron_of_interval(values: Values) -> str:
    """An expression that fires as often, where there is one; else daily."""
    amount, unit = number_of(values.get("everyAmount")), values.get("everyUnit")
    if amount and unit == "minutes" and 60 % amount == 0:
        return f"*/{amount:g} * * * *"
    if amount and unit == "hours" and 24 % amount == 0:
        return f"0 */{amount:g} * * *"
    return _cron_at(DAILY, values)
