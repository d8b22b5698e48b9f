"""Schemas that leave a choice: `oneOf`, `anyOf`, several types, a discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.apis.names import in_words
from flowforge.apis.references import last_name
from flowforge.apis.schemas.discriminators import discriminator_of, mapping_of
from flowforge.apis.schemas.keywords import named_types
from flowforge.apis.schemas.merging import Level
from flowforge.apis.shapes import as_list, as_object
from flowforge.jsonio import JsonObject

MOST_CHOICES = 60
_ABOUT_THE_CHOICE = frozenset(
    {"oneOf", "anyOf", "discriminator", "title", "description", "default", "example", "examples", "nullable"}
)
_ONLY_CHECKS = frozenset({"required", "not", "description", "title", "if", "then", "else", "maxProperties"})


@dataclass(frozen=True, slots=True)
class Choices:
    """The schemas one of which a value follows, each with what the whole asks of all of them."""

    schemas: Sequence[JsonObject] = ()
    discriminator: str = ""
    """The property that tells them apart."""
    allows_null: bool = False


def choices_of(level: Level) -> Choices:
    """The choices that a level leaves; no schemas where it leaves none."""
    offered = _offered(level)
    if offered is None:
        return _choices_of_types(level.keywords)
    given = [choice for choice in offered if not _is_null(choice)]
    if all(_only_checks(choice) for choice in given):
        return Choices(allows_null=len(given) < len(offered))
    base = {keyword: value for keyword, value in level.keywords.items() if keyword not in _ABOUT_THE_CHOICE}
    property_ = discriminator_of(level.keywords)
    schemas = [_with_base(choice, base, property_, level.keywords) for choice in given[:MOST_CHOICES]]
    return Choices(schemas, property_, allows_null=len(given) < len(offered))


def _offered(level: Level) -> list[Any] | None:
    for keyword in ("oneOf", "anyOf"):
        if isinstance(level.keywords.get(keyword), list) and level.keywords[keyword]:
            return [choice for choice in level.keywords[keyword] if isinstance(choice, dict)]
    heirs = [{"$ref": reference} for reference in dict.fromkeys(mapping_of(level.keywords).values())]
    return [*_itself(level), *heirs] if heirs else None


def _itself(level: Level) -> list[JsonObject]:
    """A base whose discriminator has a default that means no heir is a choice, too."""
    property_ = discriminator_of(level.keywords)
    value = _default_of(as_object(level.keywords.get("properties")).get(property_))
    if not value or value in mapping_of(level.keywords):
        return []
    return [{"title": in_words(level.name), "properties": {property_: {"enum": [value]}}, "required": [property_]}]


def _default_of(schema: Any) -> str:
    """The default of a text, in the schema or one that is merged into it; empty where there is none."""
    waiting = [as_object(schema)]
    while waiting:
        part = waiting.pop()
        if isinstance(part.get("default"), str):
            return str(part["default"])
        waiting += [as_object(member) for member in as_list(part.get("allOf"))]
    return ""


def _with_base(choice: JsonObject, base: JsonObject, property_: str, keywords: JsonObject) -> JsonObject:
    reference = choice.get("$ref")
    if not property_ or not isinstance(reference, str):
        return {"allOf": [choice, base]}
    values = [value for value, referred in mapping_of(keywords).items() if referred == reference]
    fixed = {"properties": {property_: {"enum": values or [last_name(reference)]}}, "required": [property_]}
    return {"allOf": [choice, base, fixed]}


def _choices_of_types(keywords: JsonObject) -> Choices:
    types = named_types(keywords)
    if len(types) < 2:
        return Choices()
    base = {keyword: value for keyword, value in keywords.items() if keyword not in _ABOUT_THE_CHOICE}
    return Choices([{**base, "type": type_} for type_ in types])


def _is_null(choice: JsonObject) -> bool:
    return choice.get("type") in ("null", ["null"]) or ("enum" in choice and choice["enum"] == [None])


def _only_checks(choice: JsonObject) -> bool:
    """Whether a choice only says which fields belong together: no form shows that, the API checks it."""
    return choice.keys() <= _ONLY_CHECKS
