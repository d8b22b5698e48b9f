"""Discriminators: a property of a schema names which of its heirs a value follows (OpenAPI 3.1, section 4.8.25)."""

from __future__ import annotations

from flowforge.apis.shapes import as_list, as_object, as_text
from flowforge.jsonio import JsonObject

HEIRS = ("oneOf", "anyOf", "discriminator")
"""The keywords that name heirs."""


def discriminator_of(keywords: JsonObject) -> str:
    """The name of the property; empty where there is none."""
    return as_text(as_object(keywords.get("discriminator")).get("propertyName"))


def mapping_of(keywords: JsonObject) -> dict[str, str]:
    """References to the heirs, by the values of the property."""
    mapping = as_object(as_object(keywords.get("discriminator")).get("mapping"))
    return {value: _as_reference(name) for value, name in mapping.items() if isinstance(name, str)}


def heirs_of(keywords: JsonObject) -> list[str]:
    """References to all schemas that the keywords leave a choice among, some by their names alone."""
    mapped = as_object(as_object(keywords.get("discriminator")).get("mapping")).values()
    offered = [choice for keyword in ("oneOf", "anyOf") for choice in as_list(keywords.get(keyword))]
    return [name for name in mapped if isinstance(name, str)] + [as_text(as_object(one).get("$ref")) for one in offered]


def _as_reference(name: str) -> str:
    return name if "#" in name or "/" in name else f"#/components/schemas/{name}"
