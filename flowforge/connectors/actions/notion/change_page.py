"""NOTION_CHANGE: change properties of a page.

https://developers.notion.com/reference/patch-page
"""

from __future__ import annotations

from flowforge.connectors.actions.notion import NOTION, WRITTEN_PROPERTIES, as_properties
from flowforge.connectors.sdk import Calls, ServiceConfig, field
from flowforge.jsonio import JsonObject


class Config(ServiceConfig):
    page_id: str = field(title="Page id", min_length=1)
    properties: JsonObject = field(title="Properties", description=WRITTEN_PROPERTIES, min_length=1)


@NOTION.action("NOTION_CHANGE", Config, title="change a page", help="Changes properties of a page.", repeatable=True)
async def change_page(config: Config, notion: Calls) -> JsonObject:
    properties = await as_properties(config.properties, notion)
    return await notion.send("PATCH", "/pages/{}", config.page_id, json={"properties": properties})
