"""limit: so many members."""

from __future__ import annotations

from typing import Any, Literal

from flowforge.connectors.lists.operation import ListOperation
from flowforge.fields import field
from flowforge.language.evaluation.meter import Meter


class Limit(ListOperation):
    do: Literal["limit"] = field(title="Operation")
    count: int = field(title="How many", ge=0)
    skip: int = field(0, title="Leave out first", ge=0)
    end: Literal["first", "last"] = field("first", title="From", labels={"first": "the beginning", "last": "the end"})

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        if self.end == "first":
            return members[self.skip : self.skip + self.count]
        stop = max(0, len(members) - self.skip)
        return members[max(0, stop - self.count) : stop]
