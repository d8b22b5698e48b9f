"""dedupe: each member once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from flowforge.connectors.lists.operation import ListOperation, Path, keys_at
from flowforge.fields import field
from flowforge.language.evaluation.lenient_values import hashed
from flowforge.language.evaluation.meter import Meter


class Dedupe(ListOperation):
    model_config = ConfigDict(title="Remove duplicates")

    do: Literal["dedupe"] = field(title="Operation")
    paths: list[Path] = field(
        [], alias="fields", title="Fields", description="Members with the same values there are one. Empty: all fields."
    )
    keep: Literal["first", "last"] = field(
        "first", title="Which stays", labels={"first": "the first", "last": "the last"}
    )

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        keys = hashed(meter, keys_at(meter, members, self.paths))
        positions = range(len(keys)) if self.keep == "last" else reversed(range(len(keys)))
        kept = {keys[position]: position for position in positions}
        return [members[position] for position in sorted(kept.values())]
