"""keep, remove, rename: other fields for each record."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from flowforge.connectors.lists.operation import ListOperation, Path, records, values_at
from flowforge.fields import field
from flowforge.language.evaluation.meter import Meter


class Keep(ListOperation):
    model_config = ConfigDict(title="Keep fields")

    do: Literal["keep"] = field(title="Operation")
    paths: list[Path] = field(
        alias="fields",
        title="Fields",
        description="The others go. customer.name becomes a field of that name.",
        min_length=1,
    )

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        found = records(meter, members, "keep")
        columns = [values_at(meter, found, path) for path in self.paths]
        return [dict(zip(self.paths, values, strict=True)) for values in zip(*columns, strict=True)]


class Remove(ListOperation):
    model_config = ConfigDict(title="Remove fields")

    do: Literal["remove"] = field(title="Operation")
    names: list[str] = field(alias="fields", title="Fields", description="The others stay.", min_length=1)

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        gone = set(self.names)
        return [
            {name: value for name, value in record.items() if name not in gone}
            for record in records(meter, members, "remove")
        ]


class Rename(ListOperation):
    model_config = ConfigDict(title="Rename fields")

    do: Literal["rename"] = field(title="Operation")
    names: dict[str, str] = field(title="Names", description="The name there is, and the new one.", min_length=1)

    def apply(self, members: list[Any], meter: Meter) -> list[Any]:
        return [
            {self.names.get(name, name): value for name, value in record.items()}
            for record in records(meter, members, "rename")
        ]
