"""OUTLOOK_FIND: the mails of a folder.

https://learn.microsoft.com/graph/api/mailfolder-list-messages
"""

from __future__ import annotations

from flowforge.connectors.actions.outlook import OUTLOOK
from flowforge.connectors.sdk import Calls, Paging, Polls, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject

_PAGES = Paging(by="link", at="body['@odata.nextLink']", items="body.value")


class Config(ServiceConfig):
    folder: str = field(
        "inbox", title="Folder", description="Its id, or inbox, sentitems, drafts, archive.", min_length=1
    )
    filter: str = field("", title="Filter", description="isRead eq false and receivedDateTime ge 2026-01-01")
    fields: list[str] = field(
        default=["id", "subject", "from", "toRecipients", "receivedDateTime", "bodyPreview", "isRead", "webLink"],
        title="Fields",
        group="Options",
    )
    limit: int = field(100, title="Maximum mails", ge=1, le=10_000)


@OUTLOOK.action(
    "OUTLOOK_FIND",
    Config,
    title="find mails",
    help="Gives the mails of a folder.",
    summary=first_of("filter", "folder"),
    repeatable=True,
    polls=Polls(
        "New mail in Outlook",
        "When a mail arrives in an Outlook folder",
        items="items",
        item_id="id",
        newest_first=True,
        sample={"id": "AAMk", "subject": "An order", "bodyPreview": "Two cups, please.", "isRead": False},
    ),
)
async def find(config: Config, outlook: Calls) -> JsonObject:
    query = {
        "$filter": config.filter or None,
        "$select": ",".join(config.fields) or None,
        "$top": min(config.limit, 1000),
    }
    return await outlook.pages(_PAGES, "/me/mailFolders/{}/messages", config.folder, query=query, most=config.limit)
