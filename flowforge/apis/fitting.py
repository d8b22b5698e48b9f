"""Values as they are meant: a text that reads as the declared type becomes that type, a number in a field of text its
text, one value in a field for lists a list of it, a null where none may stand nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowforge import jsonio
from flowforge.jsonio import JsonObject

IsOpen = Callable[[Any], bool]
_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
}


def fit(schema: JsonObject, value: Any, is_open: IsOpen = lambda _: False) -> Any:
    """The value with its parts fitted to a schema of `form_schema`; what does not fit stays as it is, and so does what
    `is_open`, as an expression that is not evaluated yet."""
    if is_open(value):
        return value
    if isinstance(value, str):
        value = _read(schema.get("type"), value)
    if schema.get("type") == "array" and value is not None:
        items = value if isinstance(value, list) else [value]
        return [fit(schema.get("items", {}), item, is_open) for item in items]
    if schema.get("type") == "object" and isinstance(value, dict):
        return _fit_object(schema, value, is_open)
    return _fit_plain(schema, value)


def _read(type_: Any, text: str) -> Any:
    """The value that a text is the JSON of, where a value of that type is asked for."""
    if type_ not in _PYTHON_TYPES:
        return text
    try:
        read = jsonio.loads(text.strip())
    except ValueError:
        return text
    if isinstance(read, bool) and type_ != "boolean":
        return text
    return read if isinstance(read, _PYTHON_TYPES[type_]) else text


def _fit_plain(schema: JsonObject, value: Any) -> Any:
    type_ = schema.get("type")
    if type_ == "string" and isinstance(value, int | float) and schema.get("format") != "binary":
        return jsonio.dumps(value).decode()
    return int(value) if type_ == "integer" and isinstance(value, float) and value.is_integer() else value


def _fit_object(schema: JsonObject, value: JsonObject, is_open: IsOpen) -> JsonObject:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
    fitted = {name: fit(properties.get(name, others), inner, is_open) for name, inner in value.items()}
    return {name: inner for name, inner in fitted.items() if inner is not None or _takes_null(properties.get(name))}


def _takes_null(schema: JsonObject | None) -> bool:
    """Whether null says something: where it may stand, as such or as a choice, or anything may."""
    if schema is None or schema.get("nullable") is True:
        return True
    return any(map(_takes_null, schema.get("oneOf", ()))) or not schema.keys() & {"type", "oneOf", "enum"}
