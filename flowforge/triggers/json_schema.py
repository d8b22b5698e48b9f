"""JSON Schemas of configs, as forms and editors take them: nothing is referred to, and what is optional may be null."""

from __future__ import annotations

from pydantic import BaseModel

from flowforge.inlined_schemas import inlined
from flowforge.jsonio import JsonObject

_ABOUT = ("title", "description", "default", "writeOnly", "secret", "multiline", "group", "labels")
_NULL = {"type": "null"}


def object_schema(model: type[BaseModel]) -> JsonObject:
    """The schema of a model whose parts do not contain themselves."""
    schema = inlined(model.model_json_schema(by_alias=True))
    required = schema.get("required", ())
    properties = {
        name: declared if name in required else or_null(declared) for name, declared in schema["properties"].items()
    }
    return {key: value for key, value in schema.items() if key not in _ABOUT} | {"properties": properties}


def or_null(declared: JsonObject) -> JsonObject:
    """The schema, and null beside what it allows."""
    if _NULL in declared.get("anyOf", ()):
        return declared
    about = {key: declared[key] for key in _ABOUT if key in declared}
    return {**about, "anyOf": [{key: value for key, value in declared.items() if key not in about}, _NULL]}
