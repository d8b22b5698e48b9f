"""aggregate: one record for each group of members, with what their fields come to."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.lists.operation import ListOperation, Path, values_at
from flowforge.fields import field
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.lenient_values import hashed
from flowforge.language.evaluation.measures import MeasureName, measure
from flowforge.language.evaluation.meter import Meter

_RECORD_BYTES = 400


class Measure(ConnectorConfig):
    model_config = ConfigDict(title="Measure")

    name: str = field(title="Name", description="Of the field that it gets.")
    how: MeasureName = field(
        "count",
        title="What",
        labels={
            "count": "number",
            "sum": "sum",
            "average": "average",
            "min": "smallest",
            "max": "largest",
            "first": "first",
            "last": "last",
            "list": "list of all",
        },
    )
    path: Path = field(
        "", alias="field", title="Field", description="What is empty is not counted. Empty: the members."
    )


class Aggregate(ListOperation):
    model_config = ConfigDict(title="Sum up")

    do: Literal["aggregate"] = field(title="Operation")
    paths: list[Path] = field(
        [],
        alias="groupBy",
        title="For each",
        description="Fields: one record for each of their values. Empty: one for all.",
        max_length=20,
    )
    measures: list[Measure] = field([], title="Measures", max_length=50)

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        heads = [values_at(meter, members, path) for path in self.paths]
        keys = hashed(meter, [list(values) for values in zip(*heads, strict=True)]) if heads else [None] * len(members)
        groups: dict[Any, list[int]] = {} if heads else {None: []}
        for position, key in enumerate(keys):
            groups.setdefault(key, []).append(position)
        meter.memory(len(groups) * _RECORD_BYTES)
        columns = [values_at(meter, members, each.path) for each in self.measures]
        return [self._record(meter, heads, columns, positions) for positions in groups.values()]

    def _record(self, meter: Meter, heads: list[Any], columns: list[Any], positions: list[int]) -> JsonObject:
        head = {path: values[positions[0]] for path, values in zip(self.paths, heads, strict=True)}
        found = (
            (each, [values[position] for position in positions])
            for each, values in zip(self.measures, columns, strict=True)
        )
        return head | {each.name: measure(meter, each.how, values) for each, values in found}
