"""A connector's run, as an executor makes it: with its config parsed, and without its workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import StepContext


def run(type_: str, config: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """The output. Raises ConnectorError."""
    found = load_catalog().get(type_)
    output: dict[str, Any] = found.run(found.parse(config), context)
    return output


def run_with(
    type_: str, kind: str, saved: Mapping[str, Any], config: dict[str, Any], context: StepContext
) -> dict[str, Any]:
    """The output of a step that names a connection of that kind. Raises ConnectorError."""
    connection = load_catalog().connection_kinds[kind].read(saved, context)
    return run(type_, config, replace(context, connection=connection))
