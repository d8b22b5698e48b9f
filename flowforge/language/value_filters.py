"""Filters on numbers, JSON and time, and the fallback for what is missing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from flowforge import jsonio
from flowforge.language.lookup import Missing
from flowforge.language.meter import Failure, Meter
from flowforge.language.registry import NOT_GIVEN, Register
from flowforge.language.values import describe, encode, number, text, to_json, whole

VALUE_FILTERS = Register()

_LONGEST_NUMBER = 400
_LONGEST_TIME = 64
_LONGEST_FORMAT = 200
# Objects of Python are larger than their JSON: `[[],[]]` takes three characters and some 70 bytes for each.
_BYTES_PER_JSON_CHARACTER = 40
_TIME_FORMAT = re.compile(r"(?:[^%]|%[aAbBdfHIjmMpSyYzZ%])*")


@VALUE_FILTERS.add("default", "d")
def default(_: Meter, value: Any, fallback: Any = "", boolean: Any = False) -> Any:
    """The fallback where the value does not exist; with `true` as second argument also where it is empty, null or 0."""
    if isinstance(value, Missing) or (boolean and not value):
        return fallback
    return value


@VALUE_FILTERS.add("int")
def int_(meter: Meter, value: Any, default: Any = NOT_GIVEN) -> Any:
    """As a whole number, without the decimals; the default where it is none."""
    try:
        return number(int(_numeric(value)), "int")
    except (ValueError, OverflowError, Failure) as error:
        return _default_or_fail(default, "int", value, error)


@VALUE_FILTERS.add("float")
def float_(meter: Meter, value: Any, default: Any = NOT_GIVEN) -> Any:
    """As a number with decimals; the default where it is none."""
    try:
        return number(float(_numeric(value)), "float")
    except (ValueError, OverflowError, Failure) as error:
        return _default_or_fail(default, "float", value, error)


@VALUE_FILTERS.add("round")
def round_(_: Meter, value: Any, precision: Any = 0) -> int | float:
    """Rounded to so many decimals; a whole number when that is 0."""
    digits = whole(precision, "round", range(16))
    return number(round(number(value, "round"), digits or None), "round")


@VALUE_FILTERS.add("abs")
def abs_(_: Meter, value: Any) -> int | float:
    """Without its sign."""
    return number(abs(number(value, "abs")), "abs")


@VALUE_FILTERS.add("tojson")
def tojson(meter: Meter, value: Any) -> str:
    """As JSON text: null is `null`, text is in quotes."""
    return to_json(value, meter)


@VALUE_FILTERS.add("fromjson")
def fromjson(meter: Meter, value: Any) -> Any:
    """The value that JSON text stands for."""
    subject = text(value, "fromjson")
    meter.work(len(subject) * 40)
    meter.memory(len(subject) * _BYTES_PER_JSON_CHARACTER)
    try:
        result = jsonio.loads(subject)
    except ValueError as error:
        raise Failure("fromjson: the text is not JSON") from error
    encode(result)  # Reading goes deeper than writing does: such a value could go nowhere.
    return result


@VALUE_FILTERS.add("date")
def date(_: Meter, value: Any, format: Any = "%Y-%m-%d") -> str:  # noqa: A002 - the name people write
    """A time (ISO text, seconds since 1970, or `now`) in UTC, written as in strftime: `%d.%m.%Y %H:%M`."""
    pattern = text(format, "date")
    if len(pattern) > _LONGEST_FORMAT or not _TIME_FORMAT.fullmatch(pattern):
        raise Failure("date: the format knows %a %A %b %B %d %f %H %I %j %m %M %p %S %y %Y %z %Z %%")
    return _moment(value).strftime(pattern)


def _numeric(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Failure("not a number")
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise Failure("too long for a number")
    if isinstance(value, str) and "." not in value and "e" not in value.lower():
        return int(value)
    return value if isinstance(value, int) else float(value)


def _default_or_fail(default: Any, purpose: str, value: Any, error: Exception) -> Any:
    if default is NOT_GIVEN:
        raise Failure(f"{purpose}: {describe(value)} that is not a finite number; a default can be given") from error
    return default


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Failure(f"date needs a time, not {describe(value)}")
    if isinstance(value, str) and len(value) > _LONGEST_TIME:
        raise Failure("date: the text is too long for a time")
    try:
        return jsonio.parse_time(value)
    except (ValueError, OverflowError, OSError) as error:
        raise Failure("date: this is not a time; ISO-8601 text or seconds since 1970 are") from error
