"""Filters on moments in time. Where days or months matter, the time zone decides when they begin."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from flowforge import jsonio, time_zones
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.names import hint
from flowforge.language.evaluation.values import describe, number, text
from flowforge.language.filters.calendar_names import calendar_names
from flowforge.language.filters.registry import NOT_GIVEN, Register

TIME_FILTERS = Register()

_LONGEST_TIME = 64
_LONGEST_FORMAT = 200
_DIRECTIVES = (
    "%a %A %b %B %d %f %G %H %I %j %L %m %M %p %S %u %U %V %W %y %Y %z %:z %Z %%, and %-d for no leading zeros"
)
_WRITTEN = re.compile(
    r"%(?:(?P<bare>-)(?P<number>[dHIjmMSUVWyYG])|(?P<name>[aAbB])|(?P<other>:z|[dfGHIjLmMpSuUVWyYzZ%]))"
)
_READ_DIRECTIVES = "%a %A %b %B %d %f %H %I %j %m %M %p %S %y %Y %z %Z %%"
_READ = re.compile(r"(?:[^%]|%[aAbBdfHIjmMpSyYzZ%]|%-[dHIjmMS])*")
_PARSE_NANOSECONDS = 100_000
_DIRECTIVE_NANOSECONDS = 3_000
_MOVE_NANOSECONDS = 4_000
_ZONE_NANOSECONDS = 100_000
_LANGUAGE_NANOSECONDS = 2_000_000
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600}
_DAYS = {"days": 1, "weeks": 7}
_MONTHS = {"months": 1, "quarters": 3, "years": 12}
_UNITS = (*_SECONDS, *_DAYS, *_MONTHS)
_FARTHEST = 10_000_000_000


@TIME_FILTERS.add("date")
def date(
    meter: Meter,
    value: Any,
    format: Any = "%Y-%m-%d",  # noqa: A002 - the name people write
    zone: Any = NOT_GIVEN,
    language: Any = "en",
) -> str:
    """A time (ISO text, seconds since 1970, or `now`) written as in strftime: `%d.%m.%Y %H:%M`; names of months and
    days in the language."""
    pattern = text(format, "date")
    if len(pattern) > _LONGEST_FORMAT or "%" in _WRITTEN.sub("", pattern):
        raise Failure(f"date: the format knows {_DIRECTIVES}")
    moment, spoken = _in_zone(meter, _moment(value, "date"), zone, "date"), text(language, "language of date")
    meter.work(_MOVE_NANOSECONDS + pattern.count("%") * _DIRECTIVE_NANOSECONDS)
    if spoken != "en":
        meter.work_once(spoken, _LANGUAGE_NANOSECONDS)
    try:
        return _WRITTEN.sub(lambda found: _written(moment, found, spoken), pattern)
    except ValueError as error:
        raise Failure(f"date: {error}") from error


@TIME_FILTERS.add("parse_date")
def parse_date(meter: Meter, value: Any, format: Any, zone: Any = NOT_GIVEN) -> datetime:  # noqa: A002
    """The time that a text means in the given format, as in strptime; in that zone where the text names none."""
    subject, pattern = text(value, "parse_date"), text(format, "parse_date")
    if len(pattern) > _LONGEST_FORMAT or not _READ.fullmatch(pattern):
        raise Failure(f"parse_date: the format knows {_READ_DIRECTIVES}")
    if len(subject) > _LONGEST_TIME:
        raise Failure("parse_date: the text is too long for a time")
    meter.work(_PARSE_NANOSECONDS)
    try:
        found = datetime.strptime(subject, pattern.replace("%-", "%"))
    except (ValueError, re.error) as error:
        raise Failure("parse_date: the text is not in this format") from error
    return _utc(found if found.tzinfo else found.replace(tzinfo=_zone(meter, zone, "parse_date")), "parse_date")


@TIME_FILTERS.add("iso")
def iso(meter: Meter, value: Any, zone: Any = NOT_GIVEN) -> str:
    """A time as ISO-8601 text with the offset of the zone; with `Z` for UTC where that is the zone."""
    meter.work(_MOVE_NANOSECONDS)
    if zone == "Z":
        return jsonio.format_time(_moment(value, "iso"))
    return _in_zone(meter, _moment(value, "iso"), zone, "iso").isoformat(timespec="milliseconds")


@TIME_FILTERS.add("timestamp")
def timestamp(meter: Meter, value: Any) -> float:
    """A time as seconds since 1970."""
    meter.work(_MOVE_NANOSECONDS)
    return _moment(value, "timestamp").timestamp()


@TIME_FILTERS.add("plus")
def plus(meter: Meter, value: Any, amount: Any, unit: Any, zone: Any = NOT_GIVEN) -> datetime:
    """A time so many `seconds`, `minutes`, `hours`, `days`, `weeks`, `months`, `quarters` or `years` later."""
    return _moved(meter, value, amount, unit, zone, "plus", 1)


@TIME_FILTERS.add("minus")
def minus(meter: Meter, value: Any, amount: Any, unit: Any, zone: Any = NOT_GIVEN) -> datetime:
    """A time so much earlier; units as for `plus`."""
    return _moved(meter, value, amount, unit, zone, "minus", -1)


@TIME_FILTERS.add("diff")
def diff(meter: Meter, value: Any, other: Any, unit: Any = "seconds") -> float:
    """Tells how much later a time is than another one; months, quarters and years are whole ones."""
    meter.work(_MOVE_NANOSECONDS)
    later, earlier, chosen = _moment(value, "diff"), _moment(other, "diff"), _unit(unit, "diff")
    if chosen in _MONTHS:
        return (
            _whole_months(earlier, later) // _MONTHS[chosen]
            if later >= earlier
            else -(_whole_months(later, earlier) // _MONTHS[chosen])
        )
    seconds = _SECONDS.get(chosen) or _DAYS[chosen] * 86_400
    return (later - earlier).total_seconds() / seconds


@TIME_FILTERS.add("start_of")
def start_of(meter: Meter, value: Any, unit: Any, zone: Any = NOT_GIVEN) -> datetime:
    """Gives the beginning of the minute, hour, day, week (Monday), month, quarter or year that the time is in."""
    begin = _begin(_in_zone(meter, _moment(value, "start_of"), zone, "start_of"), _unit(unit, "start_of"))
    return _utc(begin, "start_of")


@TIME_FILTERS.add("end_of")
def end_of(meter: Meter, value: Any, unit: Any, zone: Any = NOT_GIVEN) -> datetime:
    """The last millisecond of the minute, hour, day, week, month, quarter or year that the time is in."""
    chosen = _unit(unit, "end_of")
    begin = _begin(_in_zone(meter, _moment(value, "end_of"), zone, "end_of"), chosen)
    return _utc(_later(begin, 1, chosen, "end_of"), "end_of") - timedelta(milliseconds=1)


def _written(moment: datetime, directive: re.Match[str], language: str) -> str:
    """Raises ValueError for a language that is unknown."""
    if directive["name"]:
        return _name(moment, directive["name"], language)
    plain = _padded(moment, directive["number"] or directive["other"])
    return plain.lstrip("0") or "0" if directive["bare"] else plain


def _padded(moment: datetime, letter: str) -> str:
    match letter:
        case "Y":
            return f"{moment.year:04}"
        case "G":
            return f"{moment.isocalendar().year:04}"
        case "L":
            return f"{moment.microsecond // 1000:03}"
        case ":z":
            return moment.isoformat()[-6:]
        case _:
            return moment.strftime(f"%{letter}")


def _name(moment: datetime, letter: str, language: str) -> str:
    if language == "en":
        return moment.strftime(f"%{letter}")
    names = calendar_names(language, "wide" if letter in "AB" else "abbreviated")
    return names.days[moment.weekday()] if letter in "aA" else names.months[moment.month - 1]


def _moved(meter: Meter, value: Any, amount: Any, unit: Any, zone: Any, purpose: str, sign: int) -> datetime:
    much = number(amount, purpose)
    if abs(much) > _FARTHEST:
        raise Failure(f"{purpose}: that is too far away")
    chosen = _unit(unit, purpose)
    if chosen not in _SECONDS and much != int(much):
        raise Failure(f"{purpose} takes whole {chosen} only")
    return _utc(_later(_in_zone(meter, _moment(value, purpose), zone, purpose), sign * much, chosen, purpose), purpose)


def _later(moment: datetime, amount: float, unit: str, purpose: str) -> datetime:
    """Days and longer keep to the clock on the wall, shorter units to the time that passes."""
    try:
        if unit in _SECONDS:
            return moment.astimezone(UTC) + timedelta(seconds=amount * _SECONDS[unit])
        if unit in _DAYS:
            return moment + timedelta(days=amount * _DAYS[unit])
        year, month = divmod(moment.year * 12 + moment.month - 1 + int(amount) * _MONTHS[unit], 12)
        last = monthrange(year, month + 1)[1]
        return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
    except (OverflowError, ValueError) as error:
        raise Failure(f"{purpose}: there is no such time") from error


def _begin(moment: datetime, unit: str) -> datetime:
    if unit in _SECONDS:
        # By what has passed, not by the clock: an hour that comes twice a year begins twice.
        seconds = timedelta(minutes=moment.minute) if unit == "hours" else timedelta()
        seconds += timedelta(seconds=moment.second) if unit != "seconds" else timedelta()
        return moment.astimezone(UTC) - seconds - timedelta(microseconds=moment.microsecond)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit == "weeks":
        return day - timedelta(days=day.weekday())
    if unit in _MONTHS:
        return day.replace(day=1, month=(day.month - 1) // _MONTHS[unit] * _MONTHS[unit] + 1)
    return day


def _whole_months(earlier: datetime, later: datetime) -> int:
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    day_is_reached = (later.day, later.time()) >= (earlier.day, earlier.time())
    return months if day_is_reached else months - 1


def _unit(value: Any, purpose: str) -> str:
    name = text(value, f"unit of {purpose}")
    chosen = name if name.endswith("s") else f"{name}s"
    if chosen not in _UNITS:
        raise Failure(f"{purpose} knows no such unit{hint(name, _UNITS)}")
    return chosen


def _in_zone(meter: Meter, moment: datetime, zone: Any, purpose: str) -> datetime:
    meter.work(_MOVE_NANOSECONDS)
    try:
        return moment.astimezone(_zone(meter, zone, purpose))
    except OverflowError as error:
        raise Failure(f"{purpose}: there is no such time") from error


def _utc(moment: datetime, purpose: str) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise Failure(f"{purpose}: there is no such time") from error


def _zone(meter: Meter, zone: Any, purpose: str) -> tzinfo:
    name = meter.zone if zone is NOT_GIVEN else text(zone, f"zone of {purpose}")
    if name == "UTC":
        return UTC
    if len(name) > _LONGEST_TIME:
        raise Failure(f"{purpose}: the text is too long for a time zone")
    meter.work_once(name, _ZONE_NANOSECONDS)
    try:
        return time_zones.zone(name)
    except ValueError as error:
        raise Failure(f"{purpose}: {error}") from error


def _moment(value: Any, purpose: str) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Failure(f"{purpose} needs a time, not {describe(value)}")
    if isinstance(value, str) and len(value) > _LONGEST_TIME:
        raise Failure(f"{purpose}: the text is too long for a time")
    try:
        return jsonio.parse_time(value)
    except (ValueError, OverflowError, OSError) as error:
        raise Failure(f"{purpose}: this is not a time; ISO-8601 text or seconds since 1970 are") from error
