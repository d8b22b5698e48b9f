"""Values of columns: what is taken for one, and the JSON by which it is stored.

Numbers are JSON numbers, exact to their last digit. Times are UTC to the millisecond, in one width, so that their texts
sort as they do. JSON is stored as its text, which keeps the order of fields.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from flowforge import jsonio
from flowforge.data_tables.columns import Column, ColumnType
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import to_text
from flowforge.sentences import message_of, sentence

MOST_NUMBER = 10**1_000
LONGEST_KEY = 500
_INFINITE = (math.inf, -math.inf)
_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d+)?([eE][-+]?\d{1,3})?\s*")
_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}


def to_stored(column: Column, value: Any) -> Any:
    """The value as it is stored; None for an empty one. Raises ValueError, whose text says what it must be."""
    if value is None or (value == "" and column.type is not ColumnType.TEXT):
        return None
    return _STORE[column.type](value)


def to_shown(column: Column, stored: Any) -> Any:
    """A stored value as steps and clients see it."""
    return jsonio.loads(stored) if column.type is ColumnType.JSON and stored is not None else stored


def key_text(stored: Any) -> str:
    """The text by which a row is known: equal numbers have the same. Raises ValueError where it is too long."""
    text = stored if isinstance(stored, str) else _number_text(stored)
    if len(text) > LONGEST_KEY or not text:
        raise ValueError(sentence("must have 1 to %(most)s characters, since rows are known by it", most=LONGEST_KEY))
    return text


def _number_text(number: float) -> str:
    whole = int(number)
    return str(whole) if whole == number else repr(number)


def _text(value: Any) -> str:
    """The text, written as an expression inside a text is."""
    meter = Meter()
    meter.begin_expression()
    try:
        return jsonio.writable(to_text(value, meter))
    except Failure as error:
        raise ValueError(sentence("cannot be written as text: %(error)s", error=message_of(error))) from None


def _number(value: Any) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = _read_number(value.strip().removeprefix("+"))
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value or value in _INFINITE:
        raise ValueError(sentence("must be a number"))
    if abs(value) >= MOST_NUMBER:
        raise ValueError(sentence("must be a number of at most 1,000 digits"))
    return value


def _read_number(text: str) -> int | float:
    """Digits that begin with zeros count as well; of far too many there is a number that is too large."""
    if any(letter in text for letter in ".eE"):
        return float(text)
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return int(f"{sign}{digits.lstrip('0')[:2_000] or 0}")


def _boolean(value: Any) -> bool:
    read = _BOOLEANS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(read, bool):
        raise ValueError(sentence("must be true or false"))
    return read


def _datetime(value: Any) -> str:
    try:
        return jsonio.format_time(jsonio.parse_time(value))
    except ValueError:
        raise ValueError(sentence("must be a time, such as 2026-03-04T05:06:07Z")) from None


def _json(value: Any) -> str:
    return jsonio.dumps_for_database(value)


_STORE: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATETIME: _datetime,
    ColumnType.JSON: _json,
}
