"""TRANSFORM: build an object from expressions, for the steps that follow."""

from __future__ import annotations

from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject


class Config(ConnectorConfig):
    output: JsonObject = field(title="Output", description="An object; its values may be expressions.")


def _output(config: Config) -> JsonObject:
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
def transform(config: Config, context: StepContext) -> JsonObject:
    return _output(config)
