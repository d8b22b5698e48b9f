"""Filters on numbers and JSON, and the fallback for what is missing."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from flowforge import jsonio
from flowforge.language.evaluation.lookup import Missing
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import (
    describe,
    encode,
    indented_json,
    number,
    pay_for_decoding,
    text,
    to_json,
    whole,
)
from flowforge.language.filters.registry import NOT_GIVEN, Register

VALUE_FILTERS = Register()

_LONGEST_NUMBER = jsonio.MOST_DIGITS
_EXACTLY = Context(prec=jsonio.MOST_DIGITS + 20)
_WIDEST_INDENT = 8
_ROUND_NANOSECONDS = 4_000


@VALUE_FILTERS.add("default", "d")
def default(_: Meter, value: Any, fallback: Any = "", boolean: Any = False) -> Any:
    """The fallback where the value does not exist; with `true` as second argument also where it is empty, null or 0."""
    if isinstance(value, Missing) or (boolean and not value):
        return fallback
    return value


@VALUE_FILTERS.add("int")
def int_(meter: Meter, value: Any, default: Any = NOT_GIVEN) -> Any:
    """Turns a value into a whole number, without decimals; gives the default where it is no number."""
    try:
        return number(int(_numeric(value)), "int")
    except (ValueError, OverflowError, Failure) as error:
        return _default_or_fail(default, "int", value, error)


@VALUE_FILTERS.add("float")
def float_(meter: Meter, value: Any, default: Any = NOT_GIVEN) -> Any:
    """Turns a value into a number with decimals; gives the default where it is no number."""
    try:
        return number(float(_numeric(value)), "float")
    except (ValueError, OverflowError, Failure) as error:
        return _default_or_fail(default, "float", value, error)


@VALUE_FILTERS.add("round")
def round_(meter: Meter, value: Any, precision: Any = 0) -> int | float:
    """Rounded to so many decimals, halves away from zero; a whole number when that is 0."""
    digits, exact = whole(precision, "round", range(16)), number(value, "round")
    if isinstance(exact, int):
        return exact
    rounded = _rounded(meter, exact, digits)
    return number(float(rounded) if digits else int(rounded), "round")


@VALUE_FILTERS.add("abs")
def abs_(_: Meter, value: Any) -> int | float:
    """Drops the sign of a number."""
    return number(abs(number(value, "abs")), "abs")


@VALUE_FILTERS.add("tojson")
def tojson(meter: Meter, value: Any, indent: Any = 0) -> str:
    """Writes a value as JSON text: null is `null`, text is in quotes. With an indent, on lines that people read."""
    blanks = whole(indent, "tojson", range(_WIDEST_INDENT + 1))
    return to_json(value, meter) if blanks == 0 else indented_json(value, blanks, meter)


@VALUE_FILTERS.add("fromjson")
def fromjson(meter: Meter, value: Any) -> Any:
    """The value that JSON text stands for."""
    subject = text(value, "fromjson")
    pay_for_decoding(subject, meter)
    try:
        result = jsonio.loads(subject)
    except ValueError as error:
        raise Failure("fromjson: the text is not JSON") from error
    encode(result)  # Reading goes deeper than writing does: such a value could go nowhere.
    return result


@VALUE_FILTERS.add("floor")
def floor(_: Meter, value: Any) -> int | float:
    """The whole number below."""
    return number(math.floor(number(value, "floor")), "floor")


@VALUE_FILTERS.add("ceil")
def ceil(_: Meter, value: Any) -> int | float:
    """The whole number above."""
    return number(math.ceil(number(value, "ceil")), "ceil")


@VALUE_FILTERS.add("format_number")
def format_number(meter: Meter, value: Any, decimals: Any = 2, point: Any = ".", thousands: Any = "") -> str:
    """Writes a number with so many decimals, halves away from zero: `1234.5 | format_number(2, ',', '.')` is
    1.234,50."""
    digits = whole(decimals, "format_number", range(16))
    marks = {".": text(point, "format_number"), ",": text(thousands, "format_number")}
    if any(len(mark) > 1 for mark in marks.values()):
        raise Failure("format_number takes marks of one character")
    written = f"{_rounded(meter, number(value, 'format_number'), digits):,.{digits}f}"
    return "".join(marks.get(character, character) for character in written)


def _rounded(meter: Meter, value: int | float, digits: int) -> Decimal:
    """As people do it on invoices: by the decimal number that is written, which the float only comes close to. Nothing
    is less than nothing: -0.001 becomes 0.00."""
    meter.work(_ROUND_NANOSECONDS)
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _EXACTLY)
    return rounded or abs(rounded)


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
