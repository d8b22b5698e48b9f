"""Triggers of n8n's that look for something new, as triggers of ours that do."""

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


@dataclass(frozen=True, slots=True)
class Poll:
    """How it is looked for something new."""

    title: str
    """Of the connection."""
    type: str
    """Of the trigger."""
    config: Callable[[Node], JsonObject]
    renamed: Mapping[str, str] = field(default_factory=dict)
    file_field: str | None = None
    unlike: bool = True
    reads: bool = False
    """Whether each mail is read, too."""
    signs_in: bool = True

    def trigger_config(self, node: Node) -> JsonObject:
        """One execution has all that is new, as in n8n."""
        connection = {"connection": literal(connection_of(node, self))} if self.signs_in else {}
        return {**connection, **self.config(node), "eventPer": "poll"}

    @property
    def items(self) -> str:
        """The expression of what is new."""
        return "steps.each_found.results" if self.reads else "trigger.items"


def steps_of(node: Node, poll: Poll) -> list[JsonObject]:
    """The steps that read what is new, where finding it is not enough."""
    if not poll.reads:
        return []
    config = {"connection": literal(connection_of(node, poll)), "messageId": "{{ item.id }}"}
    read = {"id": "read_mail", "name": "Read the mail", "type": "GMAIL_READ", "config": config}
    loop = {"items": "{{ trigger.items }}", "collect": "{{ steps.read_mail }}"}
    each = {"id": "each_found", "name": "For each that is new", "type": "FOR_EACH", "config": loop}
    return [{**each, "actions": [read]}]


def connection_of(node: Node, poll: Poll) -> str:
    return shortened(next(iter(node.credentials.values()), poll.title))


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
    inside = {"folder": folder} if name == "folderToWatch" and folder and "/" not in folder else {}
    return {**inside, **_watching_changes(node, "fileUpdated", "folderUpdated", "watchFolderUpdated")}


def _sheet(node: Node) -> JsonObject:
    return {"spreadsheetId": _chosen(node, "documentId", "choose-a-spreadsheet"), "sheet": _tab(node)}


def _outlook(node: Node) -> JsonObject:
    return {"filter": "isRead eq false"}


def _airtable(node: Node) -> JsonObject:
    base, table = _chosen(node, "baseId", "choose-a-base"), _chosen(node, "tableId", "choose-a-table")
    return {"baseId": base, "table": table, "watch": "changed"}


def _notion(node: Node) -> JsonObject:
    database = {"databaseId": _chosen(node, "databaseId", "choose-a-database")}
    return {**database, **_watching_changes(node, "pagedUpdatedInDatabase")}


def _calendar(node: Node) -> JsonObject:
    begin = "{{ now | minus(1, 'days') | iso }}"
    return {"calendarId": _chosen(node, "calendarId", "primary"), "begin": begin}


def _feed(node: Node) -> JsonObject:
    return {"url": _address(node)}


def _watching_changes(node: Node, *events: str) -> JsonObject:
    """`events`: those of n8n's that are about changes."""
    return {"watch": "changed"} if node.parameters.get("event") in events else {}


POLLS: Mapping[str, Poll] = {
    "gmailTrigger": Poll("Gmail", "gmail_search", _gmail, GMAIL_FIELDS, "attachments", unlike=False, reads=True),
    "googleDriveTrigger": Poll("Google Drive", "drive_list", _drive, unlike=False),
    "googleSheetsTrigger": Poll("Google Sheets", "sheets_read", _sheet, {"row_number": "rowNumber"}, unlike=False),
    "microsoftOutlookTrigger": Poll("Outlook", "outlook_find", _outlook),
    "airtableTrigger": Poll("Airtable", "airtable_list", _airtable, unlike=False),
    "notionTrigger": Poll("Notion", "notion_query", _notion),
    "googleCalendarTrigger": Poll("Google Calendar", "calendar_find", _calendar, unlike=False),
    "rssFeedReadTrigger": Poll("Feed", "read_feed", _feed, FEED, unlike=False, signs_in=False),
}
