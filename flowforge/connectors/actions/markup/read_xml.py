"""READ_XML: an object made of XML."""

from __future__ import annotations

from flowforge.connectors.actions.markup import read_markup
from flowforge.connectors.sdk import ConnectorConfig, Source, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject


class Config(ConnectorConfig):
    source: Source = field(title="XML", description="A text or a file.")
    lists: list[str] = field(
        [], title="Always lists", description="Elements that are lists even where there is one: item, order."
    )


@connector(
    "READ_XML",
    Config,
    title="Read XML",
    help="Makes an object of XML.",
    icon="docs",
    keywords=("xml", "parse", "soap", "json"),
    summary=first_of("source"),
    repeatable=True,
)
def read_xml(config: Config, context: StepContext) -> JsonObject:
    return {"value": read_markup("xml", config.source, context, lists=config.lists)}
