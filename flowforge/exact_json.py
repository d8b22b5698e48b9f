"""JSON beyond what orjson holds: whole numbers of more than 64 bits, and halves of surrogate pairs.

It is slower than orjson, so it is used only where a text may hold such things, or orjson has refused a value.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson

MOST_DIGITS = 2_000
"""Of a whole number: the time to read and write one grows with the square of their number."""
_TOO_MANY_DIGITS = 10**MOST_DIGITS
_REFUSED = f"a whole number has more than {MOST_DIGITS:,} digits"
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_SURELY_64_BITS = 18
_ORJSON_INTEGERS = range(-(2**63), 2**64)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape in JSON: a pair of surrogates, half a pair (the group), or another one."""

_HALF = re.compile("[\ud800-\udfff]")


def may_hold_long_numbers(text: bytes) -> bool:
    """Whether there are so many digits in a row that orjson may read them as a rounded number."""
    return b"0" * (_SURELY_64_BITS + 1) in text.translate(_ZEROS)


def loads(text: bytes) -> Any:
    """Raises ValueError when the text is not JSON, or holds a number that is out of range."""
    try:
        return json.loads(
            whole_pairs(text).decode(), parse_int=_whole_number, parse_float=_finite, parse_constant=_refuse
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def whole_pairs(text: bytes) -> bytes:
    r"""The JSON text with `\ufffd` for each half of a surrogate pair, which stands for no character (RFC 8259,
    section 8.2)."""
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], text)


def without_halves(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def writable(value: Any) -> Any:
    """The value as orjson can write it. Raises RecursionError for one that is nested too deeply, TypeError for a number
    of more than MOST_DIGITS digits."""
    if isinstance(value, str):
        return without_halves(value)
    if isinstance(value, int) and value not in _ORJSON_INTEGERS:
        return _digits(value)
    if isinstance(value, Mapping):
        return {writable(key) if isinstance(key, str) else key: writable(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [writable(part) for part in value]
    return _writable_object(value)


def _writable_object(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: writable(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return writable(value.as_json()) if hasattr(value, "as_json") else value


def _digits(value: int) -> orjson.Fragment:
    if abs(value) >= _TOO_MANY_DIGITS:
        raise TypeError(_REFUSED)
    return orjson.Fragment(str(value))


def _whole_number(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise ValueError(_REFUSED)
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is out of range")
    return number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
