"""Values between BSON and JSON.

https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import Decimal128, ObjectId, json_util
from bson.errors import BSONError

from flowforge.connectors.database_values import KeepBytes, exact_number, from_json, to_json
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import FileAccess
from flowforge.connectors.mongodb.operators import is_extended_json
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_MOST_LEVELS = 100
"""https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Depth-for-BSON-Documents"""
_INTEGERS = range(-(2**63), 2**63)


def readable(document: Mapping[str, Any], keep: KeepBytes) -> JsonObject:
    """A document as JSON. An ObjectId is its text; what JSON has no form for is extended JSON."""
    return {name: to_json(value, name, keep, _told) for name, value in document.items()}


def storable(value: Any, files: FileAccess, field: str) -> Any:
    """A value of JSON for BSON: extended JSON is what it stands for, a file its bytes. Raises ConnectorError that
    names the config's field."""
    try:
        return _storable(value, files, _MOST_LEVELS)
    except (BSONError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        raise ConnectorError(f"{field}: {_first_line(error)}", permanent=True) from error


def _storable(value: Any, files: FileAccess, levels: int) -> Any:
    if levels < 0:
        raise ValueError(
            sentence("is nested deeper than %(most)s levels, which MongoDB does not take", most=_MOST_LEVELS)
        )
    match value:
        case Mapping() if is_extended_json(value):
            return json_util.object_hook(dict(value), json_util.RELAXED_JSON_OPTIONS)
        case Mapping():
            return from_json(value, files, lambda inner: {k: _storable(v, files, levels - 1) for k, v in inner.items()})
        case list():
            return [_storable(inner, files, levels - 1) for inner in value]
        case int() if value not in _INTEGERS:
            raise ValueError(sentence("%(value)s has more than the 64 bits that MongoDB takes", value=value))
    return value


def _told(value: Any) -> Any:
    match value:
        case ObjectId():
            return str(value)
        case Decimal128():
            return exact_number(value.to_decimal())
    return json_util.default(value, json_util.RELAXED_JSON_OPTIONS)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["cannot be read"])[0]
