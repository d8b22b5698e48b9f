"""sort: the members in order."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Literal

from flowforge.connectors.lists.operation import ListOperation, Path, values_at
from flowforge.fields import field
from flowforge.language.evaluation.lenient_values import orders
from flowforge.language.evaluation.meter import Meter
from flowforge.language.evaluation.values import weigh

_COMPARE_NANOSECONDS = 300


class Sort(ListOperation):
    do: Literal["sort"] = field(title="Operation")
    paths: list[Path] = field(
        [],
        alias="fields",
        title="Fields",
        description="By the first one; where that is the same, by the next. Empty: the members themselves.",
        max_length=20,
    )
    descending: bool = field(False, title="Largest first", description="Numbers come before texts, what is empty last.")

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        for path in reversed(self.paths or [""]):
            members = self._sorted(members, values_at(meter, members, path), meter)
        return members

    def _sorted(self, members: list[Any], values: list[Any], meter: Meter) -> list[Any]:
        found = orders(meter, values)
        count = len(members).bit_length()
        meter.work((weigh(values, meter).total + len(members) * _COMPARE_NANOSECONDS) * count)
        given = [(order, member) for order, member in zip(found, members, strict=True) if order is not None]
        given.sort(key=itemgetter(0), reverse=self.descending)
        empty = [member for order, member in zip(found, members, strict=True) if order is None]
        return [member for _, member in given] + empty
