"""HTML: parts of a page by CSS selectors, its text, Markdown of it, and HTML of Markdown."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, model_validator

from flowforge.connectors.actions.markup import read_markup
from flowforge.connectors.sdk import ConnectorConfig, Source, StepContext, chosen_by, connector, field, joined
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence


class Part(ConnectorConfig):
    model_config = ConfigDict(title="Field")

    name: str = field(title="Name", description="Of the field that it gets.")
    selector: str = field("", title="CSS selector", description="a.title, td:nth-child(2). Empty: the whole part.")
    take: Literal["text", "html", "attribute"] = field(
        "text", title="What", labels={"text": "its text", "html": "its HTML", "attribute": "an attribute"}
    )
    attribute: str = field("", title="Attribute", description="Such as href or src.")
    all: bool = field(False, title="All that are found", description="A list; otherwise the first one, or null.")

    @model_validator(mode="after")
    def _named(self) -> Part:
        if self.take == "attribute" and not self.attribute:
            raise ValueError(sentence("attribute: is required where an attribute is taken"))
        return self


class Config(ConnectorConfig):
    model_config = ConfigDict(json_schema_extra=chosen_by("operation"))

    operation: Literal["extract", "text", "markdown", "fromMarkdown"] = field(
        "extract",
        title="Operation",
        labels={
            "extract": "Extract by CSS selectors",
            "text": "HTML to text",
            "markdown": "HTML to Markdown",
            "fromMarkdown": "Markdown to HTML",
        },
    )
    source: Source = field(title="Source", description="HTML or Markdown: a text or a file.")
    each: str = field(
        "",
        title="For each",
        description="A selector: every element that it finds gives a record. Empty: one of all.",
        only_for=("extract",),
    )
    fields: list[Part] = field(
        [], title="Fields", description="What to extract.", max_length=100, required_for=("extract",)
    )

    @model_validator(mode="after")
    def _asked(self) -> Config:
        if self.operation == "extract" and not self.fields:
            raise ValueError(sentence("fields: is required to extract something"))
        return self


@connector(
    "HTML",
    Config,
    title="HTML and Markdown",
    help="Extracts parts of a page, or makes text, Markdown or HTML of it.",
    icon="docs",
    keywords=("scrape", "css", "selector", "extract", "markdown", "text", "parse"),
    summary=joined("operation", "source"),
    repeatable=True,
)
def html(config: Config, context: StepContext) -> JsonObject:
    if config.operation != "extract":
        made = read_markup(config.operation, config.source, context)
        return {"html" if config.operation == "fromMarkdown" else "text": made}
    asked = [part.model_dump() for part in config.fields]
    items = read_markup("extract", config.source, context, each=config.each, fields=asked)
    return {"items": items, "count": len(items)}
