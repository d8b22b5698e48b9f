"""Filters on lists of records, as tables are worked with: two put together or compared, one turned."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.joins import (
    Pair,
    join_all,
    join_by_keys,
    join_by_position,
    members_within,
    members_without,
    merge_pairs,
    require_kept,
)
from flowforge.language.evaluation.meter import Meter
from flowforge.language.evaluation.pivot import pivot as pivoted
from flowforge.language.evaluation.values import items, text
from flowforge.language.filters.lists import fields_of
from flowforge.language.filters.registry import Register

TABLE_FILTERS = Register()


@TABLE_FILTERS.add("merge", on_item="attribute")
def merge(meter: Meter, value: Any, other: Any, attribute: Any = None, kept: Any = "inner") -> list[JsonObject]:
    """The objects of two lists put together, where a field or an expression on `item` is the same; without one, by
    their positions. `kept`: which stay without a partner: `inner`, `left`, `right`, `outer`."""
    left, right, unmatched = items(value, "merge"), items(other, "merge"), text(kept, "merge")
    require_kept(unmatched)
    return merge_pairs(meter, _joined(meter, left, right, attribute, unmatched))


@TABLE_FILTERS.add("pairs")
def pairs(meter: Meter, value: Any, other: Any) -> list[list[Any]]:
    """Pairs of every member of a list with every one of another."""
    return [list(pair) for pair in join_all(meter, items(value, "pairs"), items(other, "pairs"))]


@TABLE_FILTERS.add("difference", on_item="attribute")
def difference(meter: Meter, value: Any, other: Any, attribute: Any = None) -> list[Any]:
    """The members that are not in another list, or whose field or expression on `item` is that of none there."""
    members, others = items(value, "difference"), items(other, "difference")
    keys = fields_of(meter, members, attribute, "difference")
    return members_without(meter, members, keys, fields_of(meter, others, attribute, "difference"))


@TABLE_FILTERS.add("intersection", on_item="attribute")
def intersection(meter: Meter, value: Any, other: Any, attribute: Any = None) -> list[Any]:
    """The members that are in another list, too, or whose field or expression on `item` is that of one there."""
    members, others = items(value, "intersection"), items(other, "intersection")
    keys = fields_of(meter, members, attribute, "intersection")
    return members_within(meter, members, keys, fields_of(meter, others, attribute, "intersection"))


@TABLE_FILTERS.add("pivot")
def pivot(
    meter: Meter, value: Any, rows: Any, columns: Any, values: Any = None, measure: Any = None
) -> list[JsonObject]:
    """A table turned: a record for each value of the field `rows`, with a field for each value of `columns`, in which
    stands what the field `values` comes to: its `sum`, or another measure (`count`, `average`, `min`, `max`, `first`,
    `last`, `list`). Without `values` the members are counted."""
    members, head = items(value, "pivot"), text(rows, "pivot")
    amounts = fields_of(meter, members, values, "pivot")
    named = [fields_of(meter, members, text(name, "pivot"), "pivot") for name in (rows, columns)]
    chosen = text(measure or ("count" if values is None else "sum"), "pivot")
    return pivoted(meter, (head, named[0]), named[1], amounts, chosen)


def _joined(meter: Meter, left: list[Any], right: list[Any], attribute: Any, kept: str) -> list[Pair]:
    if attribute is None:
        return join_by_position(meter, left, right, kept)
    keys = (fields_of(meter, left, attribute, "merge"), fields_of(meter, right, attribute, "merge"))
    return join_by_keys(meter, left, right, keys, kept)
