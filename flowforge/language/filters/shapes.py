"""Filters that give lists another shape."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import describe, items, mapping, to_text, weigh, whole
from flowforge.language.filters.lists import field_of, pay_for_members
from flowforge.language.filters.registry import Register

SHAPE_FILTERS = Register()

_MOST_MEMBERS = range(1, 1_000_001)
_DEEPEST = range(1, 11)
_LIST_BYTES = 120
_NAME_NANOSECONDS = 1_000
_COUNT_NANOSECONDS = 100


@SHAPE_FILTERS.add("group_by", on_item="attribute")
def group_by(meter: Meter, value: Any, attribute: Any) -> dict[str, list[Any]]:
    """An object: for each value of a field, or of an expression on `item`, as its name, the list of the members that
    have it."""
    groups: dict[str, list[Any]] = {}
    for name, member in _named(meter, value, attribute, "group_by"):
        groups.setdefault(name, []).append(member)
    return groups


@SHAPE_FILTERS.add("index_by", on_item="attribute")
def index_by(meter: Meter, value: Any, attribute: Any) -> JsonObject:
    """An object: for each value of a field, or of an expression on `item`, as its name, the member that has it; of
    several the last."""
    return dict(_named(meter, value, attribute, "index_by"))


@SHAPE_FILTERS.add("chunk")
def chunk(meter: Meter, value: Any, size: Any) -> list[list[Any]]:
    """The members in lists of so many; the last one may be shorter."""
    members, length = items(value, "chunk"), whole(size, "chunk", _MOST_MEMBERS)
    pay_for_members(meter, len(members), 8 + _LIST_BYTES // length)
    meter.memory(_LIST_BYTES)
    return [members[start : start + length] for start in range(0, len(members), length)]


@SHAPE_FILTERS.add("zip")
def zip_(meter: Meter, value: Any, other: Any) -> list[list[Any]]:
    """Pairs of the members of two lists, as far as the shorter one goes."""
    left, right = items(value, "zip"), items(other, "zip")
    pay_for_members(meter, min(len(left), len(right)), _LIST_BYTES)
    return [[one, two] for one, two in zip(left, right, strict=False)]


@SHAPE_FILTERS.add("flatten")
def flatten(meter: Meter, value: Any, depth: Any = 1) -> list[Any]:
    """The members of the members that are lists, in one list; so many levels deep."""
    members = items(value, "flatten")
    for _ in range(whole(depth, "flatten", _DEEPEST)):
        meter.work(len(members) * _COUNT_NANOSECONDS)
        size = sum(len(member) if isinstance(member, list | tuple) else 1 for member in members)
        pay_for_members(meter, len(members) + size)
        flat: list[Any] = []
        for member in members:
            flat.extend(member if isinstance(member, list | tuple) else (member,))
        members = flat
    return members


@SHAPE_FILTERS.add("with_fields")
def with_fields(meter: Meter, value: Any, fields: Any) -> JsonObject:
    """The object with the fields of another one; those it has by that name are replaced."""
    own, others = mapping(value, "with_fields"), mapping(fields, "with_fields")
    pay_for_members(meter, len(own) + len(others), _LIST_BYTES)
    return {**own, **others}


def _named(meter: Meter, value: Any, attribute: Any, purpose: str) -> list[tuple[str, Any]]:
    members = items(value, purpose)
    field = field_of(meter, members, attribute, purpose)
    pay_for_members(meter, len(members), 2 * _LIST_BYTES)
    meter.work(len(members) * _NAME_NANOSECONDS)
    return [(_name(meter, field(member), purpose), member) for member in members]


def _name(meter: Meter, value: Any, purpose: str) -> str:
    """Texts, numbers, true and false can be names."""
    if value is None or isinstance(value, dict | list | tuple):
        raise Failure(f"{purpose} needs fields that are text or numbers, not {describe(value)}")
    name = to_text(value, meter)
    weigh(name, meter)
    return name
