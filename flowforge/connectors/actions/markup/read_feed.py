"""READ_FEED: the entries of a feed (RSS 1.0 and 2.0, Atom)."""

from __future__ import annotations

from flowforge.connectors.actions.markup import read_markup
from flowforge.connectors.sdk import ConnectorConfig, Source, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject


class Config(ConnectorConfig):
    source: Source = field(title="Feed", description="RSS or Atom: a text or a file, such as {{ steps.get.body }}.")


@connector(
    "READ_FEED",
    Config,
    title="Read a feed",
    help="Gives the entries of RSS or Atom.",
    icon="docs",
    keywords=("rss", "atom", "news", "blog", "podcast", "xml"),
    summary=first_of("source"),
    repeatable=True,
)
def read_feed(config: Config, context: StepContext) -> JsonObject:
    feed: JsonObject = read_markup("feed", config.source, context)
    return feed | {"count": len(feed["entries"])}
