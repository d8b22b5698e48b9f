"""Triggers of n8n's that look for something new: a schedule, a search, and a memory of what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.n8n.model import Node
from flowforge.n8n.names import shortened
from flowforge.n8n.nodes.formats import FEED
from flowforge.n8n.nodes.mails import GMAIL_FIELDS
from flowforge.n8n.values import literal

ITEMS = "steps.new_items.items"
"""The expression of what a poll has found that is new."""


@dataclass(frozen=True, slots=True)
class Poll:
    """How it is looked for something new."""

    title: str
    """Of the connection."""
    type: str
    """Of the step that searches."""
    config: Callable[[Node], JsonObject]
    found: str
    """Where the list stands in its output."""
    key: str
    """An expression on `item` that tells one thing from another."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    file_field: str | None = None
    unlike: bool = True
    reads: bool = False
    """Whether each mail is read, too."""
    fetches: bool = False
    """Whether the search reads what an HTTP request has got."""


def steps_of(node: Node, poll: Poll) -> list[JsonObject]:
    """The steps that find what is new."""
    connection = {} if poll.fetches else {"connection": literal(connection_of(node, poll))}
    search = _step("look", f"Look: {node.name}", poll.type, {**connection, **poll.config(node)})
    remember = _step("seen", "Seen before?", "REMEMBER", {"key": f"{{{{ {poll.key} }}}}"})
    inside = [remember]
    item = "item"
    if poll.reads:
        read = _step("read_mail", "Read the mail", "GMAIL_READ", {**connection, "messageId": "{{ item.id }}"})
        inside.append({**read, "when": "{{ steps.seen.first }}"})
        item = "steps.read_mail | default(none)"
    loop = _step(
        "each_found",
        "For each that was found",
        "FOR_EACH",
        {
            "items": f"{{{{ steps.look.{poll.found} }}}}",
            "collect": f"{{{{ {{'first': steps.seen.first, 'item': {item}}} }}}}",
        },
    )
    loop["actions"] = inside
    new = "{{ steps.each_found.results | filter(item.first) | map(item.item) }}"
    before = (
        [_step("fetch", "Fetch", "HTTP_REQUEST", {"url": _address(node), "response": "text"})] if poll.fetches else []
    )
    return [*before, search, loop, _step("new_items", "What is new", "TRANSFORM", {"output": {"items": new}})]


def connection_of(node: Node, poll: Poll) -> str:
    return shortened(next(iter(node.credentials.values()), poll.title))


def _step(id_: str, name: str, type_: str, config: JsonObject) -> JsonObject:
    return {"id": id_, "name": shortened(name), "type": type_, "config": config}


def _address(node: Node) -> str:
    written = str(node.parameters.get("feedUrl") or "")
    return literal(written) if written.startswith("http") else "https://example.com/feed.xml"


def _chosen(node: Node, name: str, otherwise: str) -> str:
    """A parameter that is written out, or chosen from a list."""
    raw = node.parameters.get(name)
    value = raw.get("value") if isinstance(raw, dict) else raw
    return literal(value) if isinstance(value, str) and value and not value.startswith("=") else otherwise


def _tab(node: Node) -> str:
    raw: Any = node.parameters.get("sheetName")
    name = raw.get("cachedResultName") if isinstance(raw, dict) else None
    return literal(name) if isinstance(name, str) and name.strip() else "Sheet1"


def _gmail(node: Node) -> JsonObject:
    filters = node.parameters.get("filters")
    filters = filters if isinstance(filters, dict) else {}
    words = [str(filters.get("q") or "").removeprefix("="), "newer_than:2d"]
    words += [f"from:{filters['sender']}"] if filters.get("sender") else []
    words += ["is:unread"] if filters.get("readStatus", "unread") == "unread" else []
    labels = filters.get("labelIds")
    chosen = {"labels": [str(label) for label in labels]} if isinstance(labels, list) and labels else {}
    return {"query": literal(" ".join(word for word in words if word)), **chosen}


def _drive(node: Node) -> JsonObject:
    name = "folderToWatch" if "folderToWatch" in node.parameters else "fileToWatch"
    folder = _chosen(node, name, "")
    return {"folder": folder} if name == "folderToWatch" and folder and "/" not in folder else {}


def _sheet(node: Node) -> JsonObject:
    return {"spreadsheetId": _chosen(node, "documentId", "choose-a-spreadsheet"), "sheet": _tab(node)}


def _outlook(node: Node) -> JsonObject:
    return {"filter": "isRead eq false"}


def _airtable(node: Node) -> JsonObject:
    return {"baseId": _chosen(node, "baseId", "choose-a-base"), "table": _chosen(node, "tableId", "choose-a-table")}


def _notion(node: Node) -> JsonObject:
    return {"databaseId": _chosen(node, "databaseId", "choose-a-database")}


def _calendar(node: Node) -> JsonObject:
    begin = "{{ now | minus(1, 'days') | iso }}"
    return {"calendarId": _chosen(node, "calendarId", "primary"), "begin": begin}


def _feed(node: Node) -> JsonObject:
    return {"source": "{{ steps.fetch.body }}"}


POLLS: Mapping[str, Poll] = {
    "gmailTrigger": Poll(
        "Gmail", "GMAIL_SEARCH", _gmail, "items", "item.id", GMAIL_FIELDS, "attachments", unlike=False, reads=True
    ),
    "googleDriveTrigger": Poll(
        "Google Drive", "DRIVE_LIST", _drive, "items", "item.id ~ ' ' ~ item.modifiedTime", unlike=False
    ),
    "googleSheetsTrigger": Poll(
        "Google Sheets", "SHEETS_READ", _sheet, "rows", "item | tojson", {"row_number": "rowNumber"}, unlike=False
    ),
    "microsoftOutlookTrigger": Poll("Outlook", "OUTLOOK_FIND", _outlook, "items", "item.id"),
    "airtableTrigger": Poll("Airtable", "AIRTABLE_LIST", _airtable, "items", "item | tojson", unlike=False),
    "notionTrigger": Poll("Notion", "NOTION_QUERY", _notion, "items", "item.id ~ ' ' ~ item.last_edited_time"),
    "googleCalendarTrigger": Poll("Google Calendar", "CALENDAR_FIND", _calendar, "items", "item.id", unlike=False),
    "rssFeedReadTrigger": Poll(
        "Feed", "READ_FEED", _feed, "entries", "item.id | default(item.link, true)", FEED, unlike=False, fetches=True
    ),
}
