"""Expressions that a filter evaluates for each member of a list: `rows | map(item.price * item.count)`.

In them `item` is the member and `index` its position, from 0. Where such an expression stands inside another one, or
inside a FOR_EACH, `outer` is what `item` is around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from flowforge.language.evaluation.meter import Meter

ITEM, INDEX, OUTER = "item", "index", "outer"
ITEM_ROOTS = (ITEM, INDEX, OUTER)
"""The roots of expressions that are known only in there."""

_MEMBER_NANOSECONDS = 400
_PART_NANOSECONDS = 200
_CALL_NANOSECONDS = 1_000
_PART_BYTES = 80


@dataclass(frozen=True, slots=True)
class ItemExpression:
    """An expression that waits for the members of a list."""

    evaluate: Callable[[Mapping[str, Any], Meter], Any]
    scope: Mapping[str, Any]
    """What is known around it."""
    meter: Meter
    parts: int
    """Nodes of its syntax tree: each may be computed for each member."""
    calls: int
    """Those of them that call a filter or a test."""
    made: int
    """Those that make a list or an object."""

    def for_each_of(self, members: int) -> Callable[[Any], Any]:
        """The value for a member, for all of them in order. Pays for so many."""
        each = _MEMBER_NANOSECONDS + self.parts * _PART_NANOSECONDS + self.calls * _CALL_NANOSECONDS
        self.meter.work(members * each)
        self.meter.memory(members * self.made * _PART_BYTES)
        around = {OUTER: self.scope[ITEM]} if ITEM in self.scope else {}
        scope, evaluate, meter, positions = {**self.scope, **around}, self.evaluate, self.meter, count()

        def value(member: Any) -> Any:
            scope[ITEM], scope[INDEX] = member, next(positions)
            return evaluate(scope, meter)

        return value
