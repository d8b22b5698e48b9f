"""Filters that ask of each member whether a condition holds: an expression on `item`, or a field that is true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowforge.language.evaluation.meter import Meter
from flowforge.language.evaluation.values import items
from flowforge.language.filters.lists import field_of, pay_for_members
from flowforge.language.filters.registry import Register

MATCH_FILTERS = Register()


@MATCH_FILTERS.add("filter", "where", on_item="condition")
def filter_(meter: Meter, value: Any, condition: Any) -> list[Any]:
    """The members for which a condition holds: `rows | filter(item.age > 17)`."""
    members = items(value, "filter")
    return [members[position] for position in _matching(meter, members, condition, "filter")]


@MATCH_FILTERS.add("find", on_item="condition")
def find(meter: Meter, value: Any, condition: Any) -> Any:
    """The first member for which a condition holds; null where there is none."""
    members = items(value, "find")
    position = next(_matching(meter, members, condition, "find"), None)
    return None if position is None else members[position]


@MATCH_FILTERS.add("any", on_item="condition")
def any_(meter: Meter, value: Any, condition: Any = None) -> bool:
    """Whether a condition holds for one member at least; without one, whether a member is true."""
    return next(_matching(meter, items(value, "any"), condition, "any"), None) is not None


@MATCH_FILTERS.add("all", on_item="condition")
def all_(meter: Meter, value: Any, condition: Any = None) -> bool:
    """Whether a condition holds for every member; without one, whether every member is true."""
    members = items(value, "all")
    return sum(1 for _ in _matching(meter, members, condition, "all")) == len(members)


def _matching(meter: Meter, members: list[Any], condition: Any, purpose: str) -> Iterator[int]:
    """The positions of the members for which it holds, found as they are asked for."""
    pay_for_members(meter, len(members))
    holds = field_of(meter, members, condition, purpose)
    return (position for position, member in enumerate(members) if holds(member))
