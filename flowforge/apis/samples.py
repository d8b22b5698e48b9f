"""Values that look like those a schema describes."""

from __future__ import annotations

from typing import Any

from flowforge.apis.checking import is_within
from flowforge.jsonio import JsonObject

_TEXTS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00",
    "uuid": "3f2b8c1e-7d4a-4c5e-9b1a-2d6f8e0c4a71",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "int64": "1",
}
_PLAIN: dict[str, Any] = {"number": 1.5, "integer": 1, "boolean": True, "string": "text"}


def sample_of(schema: JsonObject) -> Any:
    """A value of a schema of `form_schema`: its example, default or first choice where it has one."""
    given = [
        *schema.get("examples", ()),
        *([schema["default"]] if "default" in schema else ()),
        *schema.get("enum", ()),
    ]
    if given:
        return given[0]
    if "oneOf" in schema:
        return sample_of(schema["oneOf"][0])
    if schema.get("properties"):
        return {name: sample_of(inner) for name, inner in schema["properties"].items()}
    if schema.get("type") == "array":
        return [] if schema.get("maxItems") == 0 else [sample_of(schema.get("items", {}))]
    return _sample_of_type(schema)


def _sample_of_type(schema: JsonObject) -> Any:
    if schema.get("type") == "object":
        others = schema.get("additionalProperties")
        return {"name": sample_of(others)} if isinstance(others, dict) else {}
    if schema.get("type") == "string":
        return _TEXTS.get(schema.get("format", ""), _PLAIN["string"])[: schema.get("maxLength")]
    plain = _PLAIN.get(schema.get("type", ""))
    return _number_within(schema, plain) if schema.get("type") in ("number", "integer") else plain


def _number_within(schema: JsonObject, plain: Any) -> Any:
    """The plain number, or the one next to a bound that leaves it out."""
    near = [plain, schema.get("minimum"), schema.get("maximum")]
    near += [
        schema[bound] + step for bound, step in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)) if bound in schema
    ]
    return next((number for number in near if number is not None and is_within(schema, number)), plain)
