"""Values as people compare them who look at a table: a text that is a number counts as one, and nothing is an error."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import Any

from flowforge import jsonio
from flowforge.language.evaluation.equality import NUMBER
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import describe, encode, pay_for_encoding, weigh

_READ_NANOSECONDS = 2_000

Order = tuple[int, Any]


def hashed(meter: Meter, values: list[Any]) -> list[Hashable]:
    """Keys under which equal values are found: 20, 20.0 and "20" have the same one, null has None."""
    pay_for_encoding(values, meter)
    return [_hashed(value) for value in values]


def _hashed(value: Any) -> Hashable:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return jsonio.format_time(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else encode(value)


def orders(meter: Meter, values: list[Any]) -> list[Order | None]:
    """What values are put in order by: numbers first, then texts, then all else as JSON; None for null."""
    weigh(values, meter)
    meter.work(len(values) * _READ_NANOSECONDS)
    return [order_of(value) for value in values]


def order_of(value: Any) -> Order | None:
    """Like `orders`, for one value; the caller has paid."""
    number = number_of(value)
    if value is None or value == "":
        return None
    if number is not None:
        return 0, number
    if isinstance(value, str | bool | datetime):
        return 1, _hashed(value)
    return 2, encode(value)


def numbers(meter: Meter, values: list[Any], purpose: str) -> list[int | float]:
    """The values that are not null or empty, as numbers. Raises Failure for one that is none."""
    meter.work(len(values) * _READ_NANOSECONDS)
    given = [value for value in values if value is not None and value != ""]
    found = [number_of(value) for value in given]
    wrong = next((value for value, number in zip(given, found, strict=True) if number is None), None)
    if wrong is not None:
        raise Failure(f"{purpose} needs numbers, not {describe(wrong)}")
    return [number for number in found if number is not None]


def number_of(value: Any) -> int | float | None:
    """The number that a value is, or that a text is as JSON writes it; None for any other."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    written = NUMBER.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        return None
    return float(value) if any(written.groups()) else int(value)
