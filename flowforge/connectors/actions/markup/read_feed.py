"""READ_FEED: the entries of a feed (RSS, Atom, JSON Feed)."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from flowforge.connectors.actions.markup import read_markup
from flowforge.connectors.sdk import ConnectorConfig, Polls, Source, StepContext, connector, field, first_of
from flowforge.file_values import InlineFile
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_NOT_MODIFIED = 304
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
"""Headers of an answer, and those that ask whether there is another one by now (RFC 9110, 13.1)."""


class Config(ConnectorConfig):
    url: str = field("", by_name=True, title="Address", description="https://… of the feed.")
    source: Source | None = field(
        None, title="Feed", description="Instead of an address: a text or a file, such as {{ steps.get.body }}."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.url) == (self.source is not None):
            raise ValueError(sentence("give either the url or the source of a feed"))
        return self


@connector(
    "READ_FEED",
    Config,
    title="Read a feed",
    help="Gives the entries of RSS, Atom or a JSON Feed.",
    icon="docs",
    keywords=("rss", "atom", "news", "blog", "podcast", "xml"),
    summary=first_of("url", "source"),
    repeatable=True,
    polls=Polls(
        "New in a feed",
        "When RSS, Atom or a JSON Feed has a new entry",
        items="entries",
        item_id="id",
        newest_first=True,
        fixed={"source": None},
        sample={
            "id": "https://blog.example.com/17",
            "title": "News",
            "link": "https://blog.example.com/17",
            "author": "Ada Lovelace",
            "published": "2026-01-05T08:30:00.000Z",
            "updated": "2026-01-05T08:30:00.000Z",
            "summary": "What is new.",
            "content": "<p>What is new.</p>",
        },
    ),
)
def read_feed(config: Config, context: StepContext) -> JsonObject:
    source = config.source or _fetched(config.url, context)
    feed: JsonObject = read_markup("feed", source, context) if source else {"entries": []}
    return feed | {"count": len(feed["entries"])}


def _fetched(url: str, context: StepContext) -> InlineFile | None:
    """The document; None where it is the one that was read the last time."""
    before = context.recall.before
    asked = {header: before[name] for name, header in _VALIDATORS.items() if name in before}
    response = context.tools.http.send(context, "GET", url, headers=asked)
    if asked and response.status == _NOT_MODIFIED:
        context.recall.is_unchanged = True
        return None
    response.raise_for_status("the feed")
    context.recall.kept = {name: response.headers[name] for name in _VALIDATORS if name in response.headers}
    return InlineFile.named("feed", response.headers.get("content-type", ""), response.content)
