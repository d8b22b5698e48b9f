"""compare: the members that another list has, or has not."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from flowforge.connectors.lists.operation import ListOperation, Path, keys_at
from flowforge.fields import field
from flowforge.language.evaluation.joins import members_within, members_without
from flowforge.language.evaluation.meter import Meter


class Compare(ListOperation):
    model_config = ConfigDict(title="Compare with a list")

    do: Literal["compare"] = field(title="Operation")
    other: list[Any] = field(alias="with", title="With", description="The other list.")
    keep: Literal["missing", "common"] = field(
        "missing",
        title="Which stay",
        labels={"missing": "those that are not in the other list", "common": "those that are in both"},
    )
    paths: list[Path] = field(
        [], alias="fields", title="Fields", description="Members with the same values there are the same. Empty: all."
    )

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        chosen = members_without if self.keep == "missing" else members_within
        return chosen(meter, members, keys_at(meter, members, self.paths), keys_at(meter, self.other, self.paths))
