"""The values expressions work on: what JSON holds, and moments in time."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.meter import Failure, Meter

_NODE_NANOSECONDS = 250
_STRING_NANOSECONDS = 200
_CHARACTER_NANOSECONDS = 8
_MAX_UNPAID = 50_000
_LONG_TEXT = 10_000
_RESERVED_BYTES = 8
_NODE_BYTES = 8
_DECODE_NANOSECONDS = 40
# Objects of Python are larger than their JSON: `[[],[]]` takes three characters and some 70 bytes for each.
_BYTES_PER_JSON_CHARACTER = 40
# JSON writes these as \u00XX: six bytes for one. Other characters take up to four, and leave a copy in UTF-8 behind.
_LONG_ESCAPE = re.compile(r"[\x00-\x07\x0b\x0e-\x1f]")
_WORST_BYTES = 6
_INDENTED = re.compile(r"^(?:  )+", re.MULTILINE)
_FOUR_BYTE_CHARACTER = re.compile(rb"[\xf0-\xf4]")
_PLAIN_BITS = 64
_SQUARED_BITS_PER_NANOSECOND = 300
_MANY_DIGITS = 10**jsonio.MOST_DIGITS


def describe(value: Any) -> str:
    """Name the kind of the value in the words of a person who writes JSON; never the value itself."""
    if value is None:
        return "null"
    for kinds, words in _WORDS:
        if isinstance(value, kinds):
            return words
    return "something else"


_WORDS: tuple[tuple[tuple[type, ...], str], ...] = (
    ((bool,), "true or false"),
    ((str,), "text"),
    ((int, float), "a number"),
    ((dict,), "an object"),
    ((list, tuple), "a list"),
    ((datetime,), "a time"),
)


def number(value: Any, purpose: str) -> int | float:
    """The value, if it is a number that JSON readers agree on. Raises Failure."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Failure(f"{purpose} needs a number, not {describe(value)}")
    if isinstance(value, int) and abs(value) >= _MANY_DIGITS:
        raise Failure(f"a whole number has more than {jsonio.MOST_DIGITS:,} digits")
    if isinstance(value, float) and value - value != 0:  # NaN and the infinities
        raise Failure("the result is not a finite number")
    return value


def text(value: Any, purpose: str) -> str:
    """The value, if it is text. Raises Failure."""
    if not isinstance(value, str):
        raise Failure(f"{purpose} needs text, not {describe(value)}")
    return value


def items(value: Any, purpose: str) -> list[Any]:
    """The value, if it is a list. Raises Failure."""
    if not isinstance(value, list | tuple):
        raise Failure(f"{purpose} needs a list, not {describe(value)}")
    return value if isinstance(value, list) else list(value)


def mapping(value: Any, purpose: str) -> JsonObject:
    """The value, if it is an object. Raises Failure."""
    if not isinstance(value, dict):
        raise Failure(f"{purpose} needs an object, not {describe(value)}")
    return value


def whole(value: Any, purpose: str, allowed: range) -> int:
    """The value, if it is a whole number in the range. Raises Failure."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise Failure(f"{purpose} needs a whole number from {allowed.start} to {allowed.stop - 1}")
    return value


class Weight(NamedTuple):
    """Cost of writing a value as JSON."""

    total: int
    """Bytes of all of it, at most."""
    longest: int
    """Bytes in UTF-8 of its longest text: the encoder sets eight times as many aside."""


def weigh(value: Any, meter: Meter) -> Weight:
    """Pays for looking at every part of the value."""
    total, longest, unpaid = 0, 0, 0
    waiting = [value]
    while waiting:
        part = waiting.pop()
        total += _NODE_BYTES
        if isinstance(part, str):
            unpaid += _STRING_NANOSECONDS + len(part) * _CHARACTER_NANOSECONDS
            if unpaid > _MAX_UNPAID:
                meter.work(unpaid)
                unpaid = 0
            total += len(part) * _bytes_per_character(part)
            longest = max(longest, _utf8_length(part))
        elif isinstance(part, dict):
            meter.work(2 * len(part) * _NODE_NANOSECONDS)
            waiting.extend(part)
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            meter.work(len(part) * _NODE_NANOSECONDS)
            waiting.extend(part)
        else:
            total += 3 * _NODE_BYTES
            if isinstance(part, int) and part.bit_length() > _PLAIN_BITS:
                meter.work(_time_to_write(part))
                total += part.bit_length() // 3
    meter.work(unpaid)
    return Weight(total, longest)


def _time_to_write(whole_number: int) -> int:
    return whole_number.bit_length() ** 2 // _SQUARED_BITS_PER_NANOSECOND


def _utf8_length(part: str) -> int:
    if part.isascii():
        return len(part)
    return len(part.encode("utf-8", "replace")) if len(part) > _LONG_TEXT else 4 * len(part)


def _bytes_per_character(part: str) -> int:
    plain = part.isascii() and (part.isprintable() or not _LONG_ESCAPE.search(part))
    return 2 if plain else _WORST_BYTES


def to_text(value: Any, meter: Meter) -> str:
    """The value as it reads inside text: null is nothing, objects and lists are JSON. Raises Failure."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        weigh(value, meter)
        return str(number(value, "text"))
    if isinstance(value, datetime):
        return jsonio.format_time(value)
    return to_json(value, meter)


def to_json(value: Any, meter: Meter) -> str:
    """Raises Failure for what JSON cannot hold."""
    pay_for_encoding(value, meter)
    data = encode(value)
    width = 1 if data.isascii() else 4 if _FOUR_BYTE_CHARACTER.search(data) else 2
    meter.memory(len(data) * width)
    return data.decode()


def indented_json(value: Any, indent: int, meter: Meter) -> str:
    """On lines, each level so many blanks further in. Raises Failure for what JSON cannot hold."""
    meter.memory(weigh(value, meter).total * (1 + _depth(value) * indent))
    encode(value)
    return _INDENTED.sub(lambda blanks: " " * (len(blanks[0]) // 2 * indent), jsonio.indented(value))


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return depth


def pay_for_encoding(value: Any, meter: Meter) -> None:
    weight = weigh(value, meter)
    meter.memory(max(weight.total, _RESERVED_BYTES * weight.longest))


def pay_for_decoding(subject: str, meter: Meter) -> None:
    meter.work(len(subject) * _DECODE_NANOSECONDS)
    meter.memory(len(subject) * _BYTES_PER_JSON_CHARACTER)


def encode(value: Any) -> bytes:
    """Write the value as JSON; the caller has paid. Raises Failure for what JSON cannot hold."""
    try:
        return jsonio.dumps(value)
    except TypeError as error:
        raise Failure("this cannot be written as JSON: it is nested too deeply or holds a foreign value") from error


def utf_8(subject: str) -> bytes:
    """The bytes of a text; the caller has paid. Raises Failure for half a character, which has none."""
    try:
        return subject.encode()
    except UnicodeEncodeError as error:
        raise Failure("the text holds half a character") from error


def to_result(value: Any) -> Any:
    """The value as it may leave an expression: JSON has no moments in time."""
    return jsonio.format_time(value) if isinstance(value, datetime) else value
