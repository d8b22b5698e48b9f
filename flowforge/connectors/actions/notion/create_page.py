"""NOTION_CREATE: add a page to a database.

https://developers.notion.com/reference/post-page
"""

from __future__ import annotations

from functools import partial

from flowforge.connectors.actions.notion import (
    NOTION,
    WRITTEN_PROPERTIES,
    DatabaseConfig,
    as_properties,
    as_text,
    data_source_of,
)
from flowforge.connectors.sdk import Calls, field, first_of
from flowforge.jsonio import JsonObject


class Config(DatabaseConfig):
    properties: JsonObject = field(title="Properties", description=WRITTEN_PROPERTIES, min_length=1)
    text: str = field("", multiline=True, title="Text", description="A paragraph for each line.")


@NOTION.action(
    "NOTION_CREATE",
    Config,
    title="create a page",
    help="Adds a page to a database.",
    summary=first_of("database_id"),
)
async def create_page(config: Config, notion: Calls) -> JsonObject:
    page = {
        "parent": {"type": "data_source_id", "data_source_id": await data_source_of(config, notion)},
        "properties": await as_properties(config.properties, notion),
        "children": await notion.compute(partial(_paragraphs, config.text), of=config.text) or None,
    }
    return await notion.post("/pages", json=page)


def _paragraphs(text: str) -> list[JsonObject]:
    return [_paragraph(line) for line in text.splitlines()]


def _paragraph(line: str) -> JsonObject:
    return {"object": "block", "type": "paragraph", "paragraph": {"rich_text": [as_text(line)]}}
