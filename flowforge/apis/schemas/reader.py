"""Schemas of a description become plain ones, level by level: what is near the top is whole, what lies too deep, is too
large or contains itself becomes any JSON."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from flowforge.apis.names import in_words
from flowforge.apis.references import BrokenReference, References
from flowforge.apis.schemas.choices import Choices, choices_of
from flowforge.apis.schemas.keywords import about, default_of, enum_of, limits, type_of
from flowforge.apis.schemas.merging import Level, Seen, Work, merge_level
from flowforge.apis.shapes import as_list, as_object
from flowforge.jsonio import JsonObject

Purpose = Literal["input", "upload", "answer"]
"""An input has no `readOnly` properties, and an upload neither, but it can hold files; an answer has no `writeOnly`
ones."""
DEEPEST = 10
MOST_SCHEMAS = 1_000
MOST_PROPERTIES = 1_000
_LEFT_OUT: dict[Purpose, str] = {"input": "readOnly", "upload": "readOnly", "answer": "writeOnly"}
_NOTHING: Seen = frozenset()
_WORDS = {
    "string": "Text",
    "number": "Number",
    "integer": "Whole number",
    "boolean": "Yes or no",
    "object": "Object",
    "array": "List",
}


def read_schema(references: References, schema: Any, purpose: Purpose) -> JsonObject:
    """The plain schema, of the keywords that `form_schema` names."""
    return _Reading(references, purpose).run(schema)


@dataclass(frozen=True, slots=True)
class _Place:
    """A schema that is still to be read, and the object it is read into."""

    schema: Any
    into: JsonObject
    seen: Seen = _NOTHING
    merged: Seen = _NOTHING
    depth: int = 0
    is_choice: bool = False


@dataclass(slots=True)
class _Reading:
    references: References
    purpose: Purpose
    work: Work = field(default_factory=Work)
    waiting: deque[_Place] = field(default_factory=deque)
    placed: int = 0
    offered: list[list[JsonObject]] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    """The names of the schemas that choices refer to, by the identity of what they are read into."""

    def run(self, schema: Any) -> JsonObject:
        plain: JsonObject = {}
        self.waiting.append(_Place(schema, plain))
        while self.waiting:
            self._read(self.waiting.popleft())
        for offered in self.offered:
            self._name_choices(offered)
        return plain

    def _read(self, place: _Place) -> None:
        level = merge_level(self.references, place.schema, place.seen, place.merged, self.work)
        place.into.update({**about(level.keywords), **place.into})
        if not level.contains_itself:
            self._read_choices(place, level)
        if place.is_choice:
            self.names.setdefault(id(place.into), level.name)

    def _read_choices(self, place: _Place, level: Level) -> None:
        choices = choices_of(level)
        if choices.allows_null:
            place.into["nullable"] = True
        if not choices.schemas:
            self._read_type(place, level)
        elif len(choices.schemas) == 1:
            self._read_only_choice(place, level, choices.schemas[0])
        elif not self._read_open_enum(place, choices.schemas) and self._has_room(place):
            offered = [self._later(place, level, schema, is_choice=True) for schema in choices.schemas]
            place.into.update({"oneOf": offered, **_discriminated(choices)})
            self.offered.append(offered)

    def _read_only_choice(self, place: _Place, level: Level, schema: JsonObject) -> None:
        if self._has_room(place):
            merged = level.seen - place.seen
            self.waiting.append(_Place(schema, place.into, level.seen, merged, place.depth + 1, place.is_choice))

    def _read_open_enum(self, place: _Place, schemas: Sequence[JsonObject]) -> bool:
        """Text, or one of some texts: a text with examples."""
        levels = [merge_level(self.references, schema, place.seen, _NOTHING, self.work) for schema in schemas]
        texts = [value for level in levels for value in enum_of(level.keywords)]
        is_open = any(not enum_of(level.keywords) and "pattern" not in level.keywords for level in levels)
        if not texts or not is_open or any(type_of(level.keywords) != "string" for level in levels):
            return False
        place.into.update({"type": "string", "examples": list(dict.fromkeys(texts))})
        return True

    def _read_type(self, place: _Place, level: Level) -> None:
        type_ = type_of(level.keywords)
        place.into.update({**default_of(level.keywords, type_), **place.into})
        if type_ is None:
            enum = enum_of(level.keywords)
            place.into.update({"enum": enum} if enum else {})
            return
        if type_ in ("object", "array") and not self._has_room(place):
            return
        place.into.update({"type": type_, **limits(level.keywords, type_, files=self.purpose == "upload")})
        if type_ == "object":
            self._read_object(place, level)
        elif type_ == "array":
            place.into["items"] = self._later(place, level, level.keywords.get("items"))

    def _read_object(self, place: _Place, level: Level) -> None:
        declared = as_object(level.keywords.get("properties"))
        kept = {name: schema for name, schema in islice(declared.items(), MOST_PROPERTIES) if self._is_kept(schema)}
        required = [name for name in _names(level.keywords.get("required")) if name in kept or name not in declared]
        all_ = {**kept, **{name: {} for name in required if name not in kept}}
        place.into["properties"] = {name: self._later(place, level, schema) for name, schema in all_.items()}
        place.into.update({"required": required} if required else {})
        if len(declared) <= MOST_PROPERTIES:
            place.into.update(self._other_properties(place, level))

    def _is_kept(self, schema: Any) -> bool:
        """Whether a property belongs to what is read, an input or an answer."""
        left_out = _LEFT_OUT[self.purpose]
        try:
            referred = self.references.follow(schema)
        except BrokenReference:
            referred = schema
        return all(as_object(each).get(left_out) is not True for each in (schema, referred))

    def _other_properties(self, place: _Place, level: Level) -> JsonObject:
        others = level.keywords.get("additionalProperties")
        patterns = list(as_object(level.keywords.get("patternProperties")).values())
        if isinstance(others, dict) and others:
            return {"additionalProperties": self._later(place, level, others)}
        if len(patterns) == 1:
            return {"additionalProperties": self._later(place, level, patterns[0])}
        return {"additionalProperties": False} if others is False and not patterns else {}

    def _later(self, place: _Place, level: Level, schema: Any, *, is_choice: bool = False) -> JsonObject:
        """The object into which a schema inside of this one will be read."""
        plain: JsonObject = {}
        self.placed += 1
        merged = level.seen - place.seen if is_choice else _NOTHING
        self.waiting.append(_Place(schema, plain, level.seen, merged, place.depth + 1, is_choice))
        return plain

    def _has_room(self, place: _Place) -> bool:
        return place.depth < DEEPEST and self.placed < MOST_SCHEMAS and not self.work.is_spent

    def _name_choices(self, offered: Sequence[JsonObject]) -> None:
        taken: Counter[str] = Counter()
        for choice in offered:
            title = choice.get("title") or _title_of(choice, self.names.get(id(choice), ""))
            taken[title] += 1
            choice["title"] = title if taken[title] == 1 else f"{title} ({taken[title]})"


def _title_of(choice: JsonObject, name: str) -> str:
    return in_words(name) or _WORDS.get(choice.get("type", ""), "Anything")


def _discriminated(choices: Choices) -> JsonObject:
    return {"discriminator": choices.discriminator} if choices.discriminator else {}


def _names(value: Any) -> list[str]:
    return list(dict.fromkeys(name for name in as_list(value)[:MOST_PROPERTIES] if isinstance(name, str)))
