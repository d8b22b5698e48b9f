"""What a new file of an API changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.apis.answers import answer_shape
from flowforge.apis.description import Description, OperationEntry
from flowforge.apis.form import form_schema
from flowforge.apis.operation import Operation, Unusable
from flowforge.apis.references import escape
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence

_MOST_TOLD = 50
_ABOUT = frozenset({"title", "description", "examples", "default", "deprecated"})
"""What changes nothing for a step."""
_TOLD = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """The operations that were added, removed or changed."""

    added: Sequence[OperationEntry] = ()
    removed: Sequence[OperationEntry] = ()
    changed: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    """By the id of the operation, what is different: the pointer is that of the input (`/query/limit`), of the answer
    (`/answer/id`), or empty."""


def difference(old: Description, new: Description, of: Collection[str] | None = None) -> Difference:
    """Compare two descriptions of the same API. `of`: the operations that are compared in depth, which takes some
    hundredths of a second for each; all of them where it is None."""
    before = {entry.id: entry for entry in old.entries}
    after = {entry.id: entry for entry in new.entries}
    both = [id_ for id_ in before if id_ in after and (of is None or id_ in of)]
    changes = {id_: _changes(old, new, id_) for id_ in both}
    return Difference(
        added=[entry for id_, entry in after.items() if id_ not in before],
        removed=[entry for id_, entry in before.items() if id_ not in after],
        changed={id_: found for id_, found in changes.items() if found},
    )


def _changes(old: Description, new: Description, id_: str) -> list[Problem]:
    was = _usable(old, id_)
    try:
        is_ = new.operation(id_)
    except Unusable as error:
        return [Problem("", sentence("cannot be used any more: %(error)s", error=message_of(error)))] if was else []
    return _compare(was, is_)[:_MOST_TOLD] if was else [Problem("", sentence("can be used now"))]


def _usable(description: Description, id_: str) -> Operation | None:
    try:
        return description.operation(id_)
    except Unusable:
        return None


def _compare(old: Operation, new: Operation) -> list[Problem]:
    found = (
        []
        if (old.method, old.path) == (new.method, new.path)
        else [Problem("", sentence("is %(method)s %(path)s now", method=new.method, path=new.path))]
    )
    found += _compare_schemas(form_schema(old), form_schema(new), "")
    return [*found, *_compare_schemas(answer_shape(old) or {}, answer_shape(new) or {}, "/answer")]


def _compare_schemas(old: JsonObject, new: JsonObject, at: str) -> Iterator[Problem]:
    """What differs between two plain schemas, which are trees; descriptions are passed over."""
    before, after = _properties(old), _properties(new)
    required, was_required = set(new.get("required", ())), set(old.get("required", ()))
    for name in [*before, *(name for name in after if name not in before)]:
        pointer = f"{at}/{escape(name)}"
        if name not in after:
            yield Problem(pointer, sentence("is gone"))
        elif name not in before:
            yield Problem(pointer, sentence("is new, and required") if name in required else sentence("is new"))
        else:
            if name in required - was_required:
                yield Problem(pointer, sentence("is required now"))
            yield from _compare_schemas(before[name], after[name], pointer)
    yield from _compare_kinds(old, new, at)
    if "items" in old and "items" in new:
        yield from _compare_schemas(old["items"], new["items"], f"{at}/0")


def _compare_kinds(old: JsonObject, new: JsonObject, at: str) -> Iterator[Problem]:
    if _kind(old) != _kind(new):
        yield Problem(at, sentence("is %(new)s now, not %(old)s", new=_kind(new), old=_kind(old)))
        return
    gone = [value for value in old.get("enum", ()) if value not in new.get("enum", [value])]
    if gone:
        yield Problem(at, sentence("is not %(names)s any more", names=", ".join(map(str, gone[:12]))))
    if _limits(old) != _limits(new) and not gone:
        yield Problem(at, sentence("has other limits"))


def _kind(schema: JsonObject) -> str:
    if "oneOf" in schema:
        return "a choice"
    if schema.get("format") == "binary":
        return "a file"
    type_ = str(schema.get("type", "any value"))
    return _TOLD.get(type_, type_)


def _limits(schema: JsonObject) -> JsonObject:
    """The keywords that are neither for people nor about what is inside; of choices, how many there are."""
    inside = ("properties", "required", "items", "additionalProperties", "type")
    limits = {key: value for key, value in schema.items() if key not in _ABOUT and key not in inside}
    return {**limits, "oneOf": _choices(schema)}


def _choices(schema: JsonObject) -> list[Any]:
    return [choice.get("title") for choice in schema.get("oneOf", ())]


def _properties(schema: JsonObject) -> JsonObject:
    properties: JsonObject = schema.get("properties", {})
    return properties
