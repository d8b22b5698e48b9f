"""Lengths of time as a number and its unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flowforge.jsonio import JsonObject

UNITS: Mapping[str, int] = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
"""Seconds of each."""
_LABELS = {"seconds": "Seconds", "minutes": "Minutes", "hours": "Hours", "days": "Days"}
_LARGEST = 1e12
_TIMES = re.compile(r"\{\{ \((.+)\) \* (60|3600|86400) \}\}", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{(.+)\}\}", re.DOTALL)


def unit_field(title: str, choices: Sequence[str]) -> JsonObject:
    """The JSON Schema of a unit, as a field beside that of its number, which is drawn for these choices."""
    unit = {"title": title, "enum": [*UNITS], "labels": _LABELS, "noExpressions": "is one of them"}
    return {**unit, "onlyFor": [*choices], "filled": True, "beside": True}


def in_units(seconds: Any) -> tuple[Any, str]:
    """The number and its unit, the largest of which it is a whole number; also of an expression that `in_seconds`
    wrote."""
    if isinstance(seconds, str) and (scaled := _TIMES.fullmatch(seconds)):
        return f"{{{{ {scaled[1]} }}}}", _unit_of(int(scaled[2]))
    number = number_of(seconds)
    if number is None or number <= 0:
        return seconds, "seconds"
    unit = next((name for name in reversed([*UNITS]) if number % UNITS[name] == 0), "seconds")
    return whole(number / UNITS[unit]), unit


def in_seconds(amount: Any, unit: Any) -> Any:
    """The seconds; of an expression another one. What is no number stays as it is, for the check to complain about."""
    size, number = UNITS.get(str(unit), 1), number_of(amount)
    if number is not None:
        return whole(number * size)
    found = _EXPRESSION.fullmatch(amount.strip()) if isinstance(amount, str) and size > 1 else None
    return f"{{{{ ({found[1].strip()}) * {size} }}}}" if found else amount


def number_of(value: Any) -> float | None:
    """A number, also one that is written as a text; None for what is none, or too large for a time."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= _LARGEST else None


def whole(number: float) -> float:
    """The number, as int where it is whole."""
    return int(number) if number.is_integer() else number


def _unit_of(size: int) -> str:
    return next(unit for unit, seconds in UNITS.items() if seconds == size)
