"""JSON Schemas of configs, as forms and editors take them: nothing is referred to, and what is optional may be null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from flowforge.jsonio import JsonObject

_ABOUT = ("title", "description", "default", "writeOnly", "secret", "multiline", "group", "labels")
_NULL = {"type": "null"}


def object_schema(model: type[BaseModel]) -> JsonObject:
    """The schema of a model whose parts do not contain themselves."""
    schema = model.model_json_schema(by_alias=True)
    inlined: JsonObject = _inline(schema, schema.get("$defs", {}))
    required = inlined.get("required", ())
    properties = {
        name: declared if name in required else or_null(declared) for name, declared in inlined["properties"].items()
    }
    return {key: value for key, value in inlined.items() if key not in _ABOUT} | {"properties": properties}


def _inline(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Replace the references in a schema by the definitions they name."""
    if isinstance(schema, list):
        return [_inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        referred = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**referred, **{key: value for key, value in schema.items() if key != "$ref"}}
    return {key: _inline(value, definitions) for key, value in schema.items() if key != "$defs"}


def or_null(declared: JsonObject) -> JsonObject:
    """The schema, and null beside what it allows."""
    if _NULL in declared.get("anyOf", ()):
        return declared
    about = {key: declared[key] for key in _ABOUT if key in declared}
    return {**about, "anyOf": [{key: value for key, value in declared.items() if key not in about}, _NULL]}
