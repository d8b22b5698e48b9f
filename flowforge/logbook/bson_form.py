"""JSON in the form that MongoDB stores: what BSON cannot hold becomes text."""

from __future__ import annotations

from typing import Any

from flowforge import jsonio
from flowforge.jsonio import JsonObject

_DEEPEST = 90
"""Levels of objects and lists. MongoDB's limit is 100 (docs: MongoDB Limits and Thresholds), of whole documents."""
_LARGEST = 2**63


def storable(data: JsonObject | None) -> JsonObject | None:
    """The data with objects and lists that are nested too deeply, and numbers of more than 64 bits, as JSON text."""
    return None if data is None else {_key(name): _storable(value, 2) for name, value in data.items()}


def _storable(value: Any, depth: int) -> Any:
    match value:
        case dict() | list() if depth > _DEEPEST:
            return jsonio.dumps(value).decode()
        case dict():
            return {_key(name): _storable(inner, depth + 1) for name, inner in value.items()}
        case list():
            return [_storable(inner, depth + 1) for inner in value]
        case int() if not -_LARGEST <= value < _LARGEST:
            return str(value)
    return value


def _key(name: str) -> str:
    return name.replace("\0", "\ufffd")
