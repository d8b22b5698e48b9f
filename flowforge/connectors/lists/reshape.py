"""pivot, expand: lists in another shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from flowforge.connectors.lists.operation import ListOperation, Path, records, values_at
from flowforge.fields import field
from flowforge.language.evaluation.measures import MeasureName
from flowforge.language.evaluation.meter import Meter
from flowforge.language.evaluation.pivot import pivot

_MEMBER_NANOSECONDS = 1_000
_MEMBER_BYTES = 200


class Pivot(ListOperation):
    model_config = ConfigDict(title="Pivot")

    do: Literal["pivot"] = field(title="Operation")
    rows: Path = field(title="Rows", description="A field: each of its values gets a record.")
    columns: Path = field(title="Columns", description="A field: each of its values becomes a field.")
    values: Path = field("", title="Values", description="A field: what it comes to stands in the cells.")
    how: MeasureName = field("sum", title="What", description="What the values come to.")

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        rows, columns, amounts = (values_at(meter, members, path) for path in (self.rows, self.columns, self.values))
        return list(pivot(meter, (self.rows, rows), columns, amounts, self.how))


class Expand(ListOperation):
    model_config = ConfigDict(title="Expand a list")

    do: Literal["expand"] = field(title="Operation")
    path: Path = field(
        alias="field", title="Field", description="A list in each record: each of its members gets a record of its own."
    )

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        expanded: list[Any] = []
        for record, value in zip(records(meter, members, "expand"), values_at(meter, members, self.path), strict=True):
            several = value if isinstance(value, list) else [value]
            meter.work(len(several) * _MEMBER_NANOSECONDS)
            meter.memory(len(several) * _MEMBER_BYTES * (1 + len(record)) // 2)
            expanded += [{**record, self.path: each} for each in several]
        return expanded
