"""NOTION_QUERY: the pages of a database.

https://developers.notion.com/reference/query-a-data-source
"""

from __future__ import annotations

from flowforge.connectors.actions.notion import NOTION, DatabaseConfig, data_source_of
from flowforge.connectors.sdk import Calls, Paging, Polls, field, given
from flowforge.jsonio import JsonObject

_PAGES = Paging(by="cursor", at="body.next_cursor", parameter="start_cursor", sent_in="body", items="body.results")


class Config(DatabaseConfig):
    filter: JsonObject | None = field(None, title="Filter", description="As the API has it.")
    sorts: list[JsonObject] | None = field(None, title="Order")
    limit: int = field(100, title="Maximum pages", ge=1, le=10_000)


@NOTION.action(
    "NOTION_QUERY",
    Config,
    title="query a database",
    help="Gives the pages of a database.",
    repeatable=True,
    polls=Polls(
        "New page in Notion",
        "When a page is added to a database",
        items="items",
        item_id="id",
        newest_first=True,
        fixed={"sorts": [{"timestamp": "last_edited_time", "direction": "descending"}]},
        sample={"id": "17", "last_edited_time": "2026-01-05T08:30:00.000Z", "properties": {}},
    ),
)
async def query(config: Config, notion: Calls) -> JsonObject:
    body = given({"filter": config.filter, "sorts": config.sorts, "page_size": min(config.limit, 100)})
    source = await data_source_of(config, notion)
    return await notion.pages(_PAGES, "/data_sources/{}/query", source, method="POST", json=body, most=config.limit)
