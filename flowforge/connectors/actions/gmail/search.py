"""GMAIL_SEARCH: the ids of mails.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/list
"""

from __future__ import annotations

from flowforge.connectors.actions.gmail import GMAIL, ME
from flowforge.connectors.sdk import Calls, Paging, Polls, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject

_PAGES = Paging(by="cursor", at="body.nextPageToken", parameter="pageToken", items="body.messages")


class Config(ServiceConfig):
    query: str = field("", title="Search", description="As in Gmail: from:ann is:unread newer_than:2d")
    labels: list[str] = field(default_factory=list, title="Labels", description="Ids that all mails have: INBOX.")
    limit: int = field(100, title="Maximum mails", ge=1, le=10_000)


@GMAIL.action(
    "GMAIL_SEARCH",
    Config,
    title="search mails",
    help="Finds mails; gives their ids and threads, the newest first.",
    summary=first_of("query"),
    repeatable=True,
    polls=Polls(
        "New mail in Gmail",
        "When a new mail matches a Gmail search",
        items="items",
        item_id="id",
        newest_first=True,
        sample={"id": "18c2f0a1b2c3d4e5", "threadId": "18c2f0a1b2c3d4e5"},
    ),
)
async def search(config: Config, gmail: Calls) -> JsonObject:
    query = {"q": config.query or None, "labelIds": config.labels, "maxResults": min(config.limit, 500)}
    return await gmail.pages(_PAGES, f"{ME}/messages", query=query, most=config.limit)
