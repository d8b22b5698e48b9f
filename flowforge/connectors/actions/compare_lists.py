"""COMPARE_LISTS: what is new in a list, gone from it, changed, or the same."""

from __future__ import annotations

from typing import Any

from flowforge.connectors.sdk import ConnectorConfig, Path, StepContext, compare_lists, connector, field, joined
from flowforge.jsonio import JsonObject


class Config(ConnectorConfig):
    first: list[Any] = field(title="First list", description="Such as {{ steps.shop.body.products }}.")
    second: list[Any] = field(title="Second list")
    fields: list[Path] = field(
        title="Fields to match by", description="What a record is known by, such as id.", min_length=1, max_length=20
    )
    second_fields: list[Path] = field(
        [], title="The same fields in the second list", description="Where they have other names.", max_length=20
    )
    ignore: list[str] = field(
        [], title="Fields that may differ", description="Such as a time of the last change.", max_length=100
    )


def _output(config: Config) -> JsonObject:
    keys = config.fields, config.second_fields or config.fields
    found = compare_lists((config.first, config.second), keys, config.ignore)
    return {**found, "counts": {name: len(members) for name, members in found.items()}}


@connector(
    "COMPARE_LISTS",
    Config,
    title="Compare lists",
    help="Tells which records only one of two lists has, and which have changed.",
    icon="table",
    keywords=("diff", "difference", "sync", "new", "changed", "deleted", "datasets", "compare"),
    summary=joined("first", "second"),
    computes=_output,
    repeatable=True,
)
def compare(config: Config, context: StepContext) -> JsonObject:
    return _output(config)
