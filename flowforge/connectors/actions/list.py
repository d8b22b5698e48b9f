"""LIST: the members of a list filtered, sorted, joined, summed up: one operation after another."""

from __future__ import annotations

from typing import Any

from flowforge.connectors.sdk import (
    AnyOperation,
    ConnectorConfig,
    StepContext,
    connector,
    field,
    first_of,
    work_on_list,
)
from flowforge.jsonio import JsonObject


class Config(ConnectorConfig):
    members: list[Any] = field(
        alias="list", title="List", description="Where it stands, such as {{ steps.get.body.orders }}."
    )
    operations: list[AnyOperation] = field(
        title="Operations", description="Done one after another.", min_length=1, max_length=50
    )


def _output(config: Config) -> JsonObject:
    members = work_on_list(config.members, config.operations)
    return {"items": members, "count": len(members)}


@connector(
    "LIST",
    Config,
    title="List",
    help="Filters, sorts, joins, sums up and reshapes a list.",
    icon="table",
    keywords=("filter", "sort", "limit", "aggregate", "group", "join", "merge", "dedupe", "unique", "pivot", "array"),
    summary=first_of("list"),
    computes=_output,
    repeatable=True,
)
def list_(config: Config, context: StepContext) -> JsonObject:
    return _output(config)
