"""Parameters of a tool: a JSON Schema, or its short form, names with what each of them means."""

from __future__ import annotations

from collections.abc import Collection

from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_FURTHER = {"patternProperties", "allOf", "anyOf", "oneOf", "$ref", "if"}
"""Keywords of a JSON Schema by which an object can have properties that `properties` does not name."""


def parameters_schema(parameters: JsonObject) -> JsonObject:
    """The JSON Schema that they stand for; in the short form every parameter is a text, and required. Raises ValueError
    for what is neither. A schema may say nothing but its type."""
    if parameters.get("type") == "object" or not all(isinstance(meaning, str) for meaning in parameters.values()):
        return _object_schema(parameters)
    properties = {name: {"type": "string", "description": meaning} for name, meaning in parameters.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


def parameter_names(parameters: JsonObject) -> Collection[str] | None:
    """The names that arguments can have; None where there may be others, or where they cannot be told."""
    try:
        schema = parameters_schema(parameters)
    except ValueError:
        return None
    is_open = schema.get("additionalProperties") or schema.keys() & _FURTHER
    return None if is_open else schema.get("properties", {}).keys()


def _object_schema(schema: JsonObject) -> JsonObject:
    if schema.get("type") != "object" or not isinstance(schema.get("properties", {}), dict):
        raise ValueError(sentence('must be names with their meanings, or a JSON Schema with "type": "object"'))
    return schema
