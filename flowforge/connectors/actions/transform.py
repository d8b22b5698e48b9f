"""TRANSFORM: build an object from expressions, for the steps that follow."""

from __future__ import annotations

from typing import Any

from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector, field, first_of


class Config(ConnectorConfig):
    output: dict[str, Any] = field(title="Output", description="An object; its values may be expressions.")


def _output(config: Config) -> dict[str, Any]:
    return config.output


@connector(
    "TRANSFORM",
    Config,
    title="Transform",
    help="Builds an object from the data of earlier steps.",
    icon="shuffle",
    keywords=("set", "edit", "map", "json", "data"),
    summary=first_of("output"),
    computes=_output,
    repeatable=True,
)
def transform(config: Config, context: StepContext) -> dict[str, Any]:
    return _output(config)
