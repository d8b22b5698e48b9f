"""JSON Schemas in which nothing is referred to, as forms take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.jsonio import JsonObject


def inlined(schema: JsonObject) -> JsonObject:
    """The schema of a model whose parts do not contain themselves, without `$defs`."""
    whole: JsonObject = _inline(schema, schema.get("$defs", {}))
    return whole


def _inline(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Replace the references in a schema by the definitions they name."""
    if isinstance(schema, list):
        return [_inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        referred = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**referred, **{key: value for key, value in schema.items() if key != "$ref"}}
    if "oneOf" in schema and "discriminator" in schema:  # what it maps to are definitions
        schema = {**schema, "discriminator": {"propertyName": schema["discriminator"]["propertyName"]}}
    return {key: _inline(value, definitions) for key, value in schema.items() if key != "$defs"}
