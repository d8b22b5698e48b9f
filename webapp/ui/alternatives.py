"""Objects in which one field says which of the others have a meaning, as the alternatives that forms draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.form_view import is_for
from flowforge.jsonio import JsonObject

Schema = Mapping[str, Any]


def has_alternatives(schema: Schema) -> bool:
    """Whether it is such an object; what other descriptions call a discriminator names none of their fields."""
    return "enum" in _chooser(schema)


def alternatives_of(schema: Schema) -> JsonObject:
    """One alternative for each choice, under its name for people, with the fields that have a meaning for it."""
    chooser = _chooser(schema)
    labels = chooser.get("labels", {})
    shapes = [{"title": labels.get(choice, choice), **_alternative(schema, choice)} for choice in chooser["enum"]]
    return {"oneOf": shapes}


def narrowed(schema: Schema, values: Mapping[str, Any]) -> Schema:
    """The schema with the fields alone that have a meaning for what is chosen in the values; all of them where that is
    an expression, or no choice."""
    chooser = _chooser(schema)
    name = schema["discriminator"]["propertyName"] if chooser else ""
    choice = values.get(name, chooser.get("default"))
    if not chooser:
        return schema
    drawn = {**schema["properties"], name: {**chooser, "chooser": True}}
    if choice not in chooser["enum"]:
        return {**schema, "properties": drawn}
    fields = {key: field for key, field in drawn.items() if is_for(field, choice)}
    required = [key for key, field in fields.items() if choice in field.get("requiredFor", ())]
    return {**schema, "properties": fields, "required": [*schema.get("required", ()), *required]}


def _alternative(schema: Schema, choice: str) -> JsonObject:
    name = schema["discriminator"]["propertyName"]
    fields = {key: field for key, field in schema["properties"].items() if key == name or is_for(field, choice)}
    required = [key for key, field in fields.items() if key == name or choice in field.get("requiredFor", ())]
    properties = {**fields, name: {"enum": [choice]}}
    return {"type": "object", "properties": properties, "required": required}


def _chooser(schema: Schema) -> Schema:
    """The field that says which others have a meaning; empty where there is none."""
    named = schema.get("discriminator")
    found = schema.get("properties", {}).get(named.get("propertyName")) if isinstance(named, Mapping) else None
    return found or {}
