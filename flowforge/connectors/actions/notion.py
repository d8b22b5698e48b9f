"""Notion: query databases, create and change pages.

https://developers.notion.com/reference
"""

from __future__ import annotations

from typing import Any

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, Paging, Service, ServiceConfig, field, first_of, given
from flowforge.jsonio import JsonObject

NOTION = Service(
    "Notion",
    "https://api.notion.com/v1",
    "docs",
    (BEARER, OAUTH2),
    ("wiki", "database"),
    {"Notion-Version": "2022-06-28"},
)
_PAGES = Paging(
    by="cursor",
    at="body.next_cursor",
    parameter="start_cursor",
    sent_in="body",
    items="body.results",
)
_PROPERTIES = 'As the API has them: {"Name": {"title": [{"text": {"content": "…"}}]}}. A plain text is a title.'


class Query(ServiceConfig):
    database_id: str = field(title="Database id", min_length=1)
    filter: JsonObject | None = field(None, title="Filter", description="As the API has it.")
    sorts: list[JsonObject] | None = field(None, title="Order")
    limit: int = field(100, title="Pages at most", ge=1, le=10_000)


@NOTION.action("NOTION_QUERY", Query, title="query a database", help="Gives the pages of a database.", repeatable=True)
def query(config: Query, notion: Calls) -> JsonObject:
    body = given({"filter": config.filter, "sorts": config.sorts, "page_size": min(config.limit, 100)})
    return notion.pages(_PAGES, "/databases/{}/query", config.database_id, method="POST", json=body, most=config.limit)


class CreatePage(ServiceConfig):
    database_id: str = field(title="Database id", min_length=1)
    properties: JsonObject = field(title="Properties", description=_PROPERTIES, min_length=1)
    text: str = field("", multiline=True, title="Text", description="A paragraph for each line.")


@NOTION.action(
    "NOTION_CREATE",
    CreatePage,
    title="create a page",
    help="Adds a page to a database.",
    summary=first_of("database_id"),
)
def create_page(config: CreatePage, notion: Calls) -> JsonObject:
    page = {
        "parent": {"database_id": config.database_id},
        "properties": _properties(config.properties),
        "children": [_paragraph(line) for line in config.text.splitlines()] or None,
    }
    return notion.post("/pages", json=page)


class ChangePage(ServiceConfig):
    page_id: str = field(title="Page id", min_length=1)
    properties: JsonObject = field(title="Properties", description=_PROPERTIES, min_length=1)


@NOTION.action(
    "NOTION_CHANGE", ChangePage, title="change a page", help="Changes properties of a page.", repeatable=True
)
def change_page(config: ChangePage, notion: Calls) -> JsonObject:
    body = {"properties": _properties(config.properties)}
    return notion.send("PATCH", "/pages/{}", config.page_id, json=body)


def _properties(written: JsonObject) -> JsonObject:
    return {name: _property(value) for name, value in written.items()}


def _property(value: Any) -> Any:
    """A plain value in the shape of the API; what has that shape stays."""
    if isinstance(value, str):
        return {"title": [_text(value)]}
    if isinstance(value, bool):
        return {"checkbox": value}
    return {"number": value} if isinstance(value, int | float) else value


def _paragraph(line: str) -> JsonObject:
    return {"object": "block", "type": "paragraph", "paragraph": {"rich_text": [_text(line)]}}


def _text(content: str) -> JsonObject:
    return {"type": "text", "text": {"content": content}}
