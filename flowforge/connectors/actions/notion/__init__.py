"""Notion: query databases, create and change pages.

https://developers.notion.com/reference, in the version 2025-09-03: the pages of a database are in its data sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, ConnectorError, Service, ServiceConfig, field
from flowforge.jsonio import JsonObject

NOTION = Service(
    "Notion",
    "https://api.notion.com/v1",
    "docs",
    (BEARER, OAUTH2),
    ("wiki", "database"),
    {"Notion-Version": "2025-09-03"},
)
WRITTEN_PROPERTIES = 'As the API has them: {"Name": {"title": [{"text": {"content": "…"}}]}}. A plain text is a title.'


class DatabaseConfig(ServiceConfig):
    database_id: str = field(title="Database id", min_length=1)
    data_source_id: str = field(
        "", title="Data source id", description="Which one, of a database with several.", group="Options"
    )


async def data_source_of(config: DatabaseConfig, notion: Calls) -> str:
    """The id of the data source that a step means. Raises ConnectorError where the database has several."""
    if config.data_source_id:
        return config.data_source_id
    sources = (await notion.get("/databases/{}", config.database_id)).get("data_sources") or []
    return await notion.compute(partial(_only, sources), of=sources)


async def as_properties(written: JsonObject, notion: Calls) -> JsonObject:
    """The properties in the shape of the API, where plain values are given."""
    return await notion.compute(lambda: {name: _property(value) for name, value in written.items()}, of=written)


def as_text(content: str) -> JsonObject:
    """A piece of rich text."""
    return {"type": "text", "text": {"content": content}}


def _only(sources: Sequence[JsonObject]) -> str:
    """Raises ConnectorError where there are none, or several."""
    if len(sources) != 1:
        names = ", ".join(f"{source.get('name')} ({source.get('id')})" for source in sources) or "none"
        raise ConnectorError(f"dataSourceId has to say which data source of the database; it has {names}", True)
    return str(sources[0].get("id"))


def _property(value: Any) -> Any:
    if isinstance(value, str):
        return {"title": [as_text(value)]}
    if isinstance(value, bool):
        return {"checkbox": value}
    return {"number": value} if isinstance(value, int | float) else value
