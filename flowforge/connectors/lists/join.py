"""join: the records of another list added to those of this one."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from flowforge.connectors.lists.operation import ListOperation, Path, records, values_at
from flowforge.fields import field
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.joins import (
    Kept,
    Pair,
    join_all,
    join_by_keys,
    join_by_position,
    merge_pairs,
)
from flowforge.language.evaluation.meter import Meter


class Join(ListOperation):
    model_config = ConfigDict(title="Join a list")

    do: Literal["join"] = field(title="Operation")
    other: list[Any] = field(alias="with", title="With", description="The other list.")
    by: Literal["field", "position", "all"] = field(
        "field",
        title="Which belong together",
        labels={"field": "those with the same value", "position": "those at the same position", "all": "all with all"},
    )
    path: Path = field("", alias="field", title="Field", description="Where the same value stands.")
    other_path: Path = field(
        "", alias="otherField", title="Field of the other list", description="Empty: the same name."
    )
    kept: Kept = field(
        "inner",
        alias="keep",
        title="Without a partner",
        labels={
            "inner": "none stays",
            "left": "those of this list stay",
            "right": "those of the other list stay",
            "outer": "all stay",
        },
    )
    name: str = field(
        "",
        title="Put under",
        description="A field that gets the whole other record. Empty: its fields are added that are not there yet.",
    )

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        left, right = records(meter, members, "join"), records(meter, self.other, "join")
        pairs = self._pairs(left, right, meter)
        return merge_pairs(meter, [self._named(pair) for pair in pairs] if self.name else pairs)

    def _pairs(self, left: list[JsonObject], right: list[JsonObject], meter: Meter) -> list[Pair]:
        if self.by == "all":
            return join_all(meter, left, right)
        if self.by == "position":
            return join_by_position(meter, left, right, self.kept)
        keys = values_at(meter, left, self.path), values_at(meter, right, self.other_path or self.path)
        return join_by_keys(meter, left, right, keys, self.kept)

    def _named(self, pair: Pair) -> Pair:
        left, right = pair
        return left, {self.name: right}
