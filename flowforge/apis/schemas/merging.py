"""One level of a schema: references followed, `allOf` merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.apis.references import BrokenReference, References, last_name
from flowforge.apis.schemas.discriminators import HEIRS, heirs_of
from flowforge.apis.shapes import as_list
from flowforge.jsonio import JsonObject

Seen = frozenset[str]
"""References that were followed on the way to a schema."""
_MOST_WORK = 100_000
_WORK_OF_NODE = 5
_OF_OWN_NAME = ("title",)
"""What a reference does not hand on: it is about the schema, not about the field that refers to it."""
_HEIRS_FOR_WORK = 50
"""So many heirs of a schema are looked at for the work of one keyword."""


@dataclass(frozen=True, slots=True)
class Level:
    """The keywords of a schema, without references and `allOf`."""

    keywords: JsonObject
    seen: Seen
    name: str = ""
    """The last part of the first reference that was followed, where there was one."""
    contains_itself: bool = False


@dataclass(slots=True)
class Work:
    """The work that reading one schema may take, in keywords and properties; hostile files would make it endless."""

    left: int = _MOST_WORK

    def spend(self, amount: int) -> None:
        self.left -= amount

    @property
    def is_spent(self) -> bool:
        return self.left < 0


def merge_level(references: References, schema: Any, seen: Seen, merged: Seen, work: Work) -> Level:
    """The level of a schema to which `seen` has led; what is in `merged` is passed over. A reference that leads nowhere
    allows everything."""
    if isinstance(schema, dict) and "$ref" not in schema and "allOf" not in schema:
        work.spend(len(schema))
        return Level(schema, seen)
    merging = _Merging(references, seen, merged, work)
    merging.run(schema)
    return Level(merging.keywords, seen | merging.followed, merging.name, merging.contains_itself)


@dataclass(frozen=True, slots=True)
class _Node:
    """A schema that is merged into the level."""

    schema: Any
    reference: str = ""
    """The last one that was followed to it."""

    @property
    def is_own(self) -> bool:
        """Whether it stands where the level does."""
        return not self.reference


@dataclass(slots=True)
class _Merging:
    references: References
    seen: Seen
    merged: Seen
    work: Work
    keywords: JsonObject = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)
    name: str = ""
    contains_itself: bool = False

    def run(self, schema: Any) -> None:
        waiting, done = [_Node(schema)], set[int]()
        while waiting and not self.work.is_spent:
            node = waiting.pop()
            if isinstance(node.schema, dict) and id(node.schema) not in done:
                done.add(id(node.schema))
                self._take(node)
                members = [_Node(member, node.reference) for member in as_list(node.schema.get("allOf"))]
                waiting += reversed([*self._referred(node.schema), *members])

    def _take(self, node: _Node) -> None:
        left_out = {"$ref", "allOf", *(() if node.is_own else _OF_OWN_NAME), *self._about_heirs(node)}
        for keyword, value in node.schema.items():
            if keyword not in left_out:
                self._take_keyword(keyword, value)
        self.work.spend(len(node.schema) + _WORK_OF_NODE)

    def _about_heirs(self, node: _Node) -> Sequence[str]:
        """Keywords by which a base leaves a choice among its heirs: there is none for one of them, which led here."""
        led_here = self.followed - {node.reference}
        if not led_here or node.schema.keys().isdisjoint(HEIRS):
            return ()
        heirs = heirs_of(node.schema)
        self.work.spend(len(heirs) // _HEIRS_FOR_WORK)
        names = {reference.rpartition("/")[2] for reference in led_here}
        return () if (led_here | names).isdisjoint(heirs) else HEIRS

    def _take_keyword(self, keyword: str, value: Any) -> None:
        if keyword not in self.keywords:
            self.keywords[keyword] = value
        elif keyword in _JOINED:
            self.keywords[keyword] = _JOINED[keyword](self.keywords[keyword], value)
        if isinstance(value, dict | list) and keyword in _JOINED:
            self.work.spend(len(value))

    def _referred(self, schema: JsonObject) -> list[_Node]:
        reference = schema.get("$ref")
        if not isinstance(reference, str) or reference in self.merged or reference in self.followed:
            return []
        if reference in self.seen:
            self.contains_itself = True
            return []
        self.followed.add(reference)
        self.name = self.name or last_name(reference)
        try:
            return [_Node(self.references.target(reference), reference)]
        except BrokenReference:
            return []


def _join_properties(first: Any, second: Any) -> Any:
    if not isinstance(first, dict) or not isinstance(second, dict):
        return first if isinstance(first, dict) else second
    both = {name: {"allOf": [first[name], schema]} for name, schema in second.items() if name in first}
    return {**first, **second, **both}


def _join_required(first: Any, second: Any) -> Any:
    if not isinstance(first, list) or not isinstance(second, list):
        return first if isinstance(first, list) else second
    return [*first, *second]


def _join_enums(first: Any, second: Any) -> Any:
    """What both allow; a contradiction is passed over."""
    if not isinstance(first, list) or not isinstance(second, list):
        return first
    allowed = _hashable(second)
    return [value for value in first if str(value) in allowed] or first


def _hashable(values: Iterable[Any]) -> set[str]:
    return {str(value) for value in values}


_JOINED = {"properties": _join_properties, "required": _join_required, "enum": _join_enums}
