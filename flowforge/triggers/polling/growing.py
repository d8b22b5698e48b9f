"""Times and numbers that only grow from item to item: which items are beyond the highest one so far. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from flowforge import jsonio
from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.sdk import ConnectorError
from flowforge.triggers.polling.items import Item

_CLOCKS_DIFFER = timedelta(days=1)
_LONGEST = 100
_NO_NUMBER = "is neither a number nor a time"

Reached: TypeAlias = Decimal | datetime


def beyond(items: Sequence[Item], path: str, highest: Any) -> list[Item]:
    """The items that are not below the highest value so far, and those that have no value. Raises ConnectorError."""
    at, limit = AnswerPath.read(path), _reached(highest)
    return [item for item in items if not _is_below(_reached(at.find(item.value)), limit)]


def highest_of(items: Sequence[Item], path: str, highest: Any, now: datetime) -> Any:
    """The highest value so far, as it was written. Times that are not yet do not count: nothing would be beyond
    them."""
    at = AnswerPath.read(path)
    for item in items:
        value = at.find(item.value)
        reached, limit = _reached(value), _reached(highest)
        if reached is not None and not _is_below(reached, limit) and not _is_in_future(reached, now):
            highest = value
    return highest


def _reached(value: Any) -> Reached | None:
    """Raises ConnectorError."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > _LONGEST:
        raise ConnectorError(f"growing: what an item has there {_NO_NUMBER}", permanent=True)
    number = _number(value)
    return _time(str(value)) if number is None else number


def _number(value: str | float) -> Decimal | None:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _time(text: str) -> datetime:
    try:
        return jsonio.parse_time(text)
    except ValueError:
        raise ConnectorError(f"growing: {text!r} {_NO_NUMBER}", permanent=True) from None


def _is_below(reached: Reached | None, limit: Reached | None) -> bool:
    """Whether it is known to be lower: not where one is a number and the other a time."""
    if isinstance(reached, Decimal) and isinstance(limit, Decimal):
        return reached < limit
    return isinstance(reached, datetime) and isinstance(limit, datetime) and reached < limit


def _is_in_future(reached: Reached, now: datetime) -> bool:
    return isinstance(reached, datetime) and reached > now + _CLOCKS_DIFFER
