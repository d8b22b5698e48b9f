"""Outlook by Microsoft Graph: send and find mails, events.

https://learn.microsoft.com/graph/api/user-sendmail, https://learn.microsoft.com/graph/api/user-list-messages
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Literal

from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import (
    Calls,
    ConnectorError,
    Content,
    Files,
    MailAddresses,
    Paging,
    Service,
    ServiceConfig,
    field,
    first_of,
)
from flowforge.jsonio import JsonObject
from flowforge.mail.addresses import Address

OUTLOOK = Service("Outlook", "https://graph.microsoft.com/v1.0", "mail", (OAUTH2,), ("mail", "microsoft", "office"))
_PAGES = Paging(by="link", at="body['@odata.nextLink']", items="body.value")
_MOST_ATTACHED_BYTES = 3_000_000
"""More than that needs upload sessions (https://learn.microsoft.com/graph/outlook-large-attachments)."""


class Send(ServiceConfig):
    to: MailAddresses = field(title="To", min_length=1)
    cc: MailAddresses = field((), title="Cc")
    bcc: MailAddresses = field((), title="Bcc")
    subject: str = field("", title="Subject", max_length=998)
    content: str = field("", multiline=True, title="Text")
    format: Literal["Text", "HTML"] = field("Text", title="Format")
    attachments: Files = field(default_factory=list, title="Attachments", description="At most 3 MB together.")
    keep: bool = field(True, title="Keep among sent items", group="Options")


@OUTLOOK.action(
    "OUTLOOK_SEND", Send, title="send a mail", help="Sends a mail from the account.", summary=first_of("subject")
)
def send(config: Send, outlook: Calls) -> JsonObject:
    files = [outlook.context.files.content(file) for file in config.attachments]
    if sum(file.size for file in files) > _MOST_ATTACHED_BYTES:
        raise ConnectorError("the attachments have more than 3 MB together", permanent=True)
    message = {
        "subject": config.subject,
        "body": {"contentType": config.format, "content": config.content},
        "toRecipients": _recipients(config.to),
        "ccRecipients": _recipients(config.cc),
        "bccRecipients": _recipients(config.bcc),
        "attachments": [_attachment(file) for file in files],
    }
    outlook.post("/me/sendMail", json={"message": message, "saveToSentItems": config.keep})
    return {"sent": True}


class Find(ServiceConfig):
    folder: str = field(
        "inbox", title="Folder", description="Its id, or inbox, sentitems, drafts, archive.", min_length=1
    )
    filter: str = field("", title="Filter", description="isRead eq false and receivedDateTime ge 2026-01-01")
    fields: list[str] = field(
        default=["id", "subject", "from", "toRecipients", "receivedDateTime", "bodyPreview", "isRead", "webLink"],
        title="Fields",
        group="Options",
    )
    limit: int = field(100, title="Mails at most", ge=1, le=10_000)


@OUTLOOK.action(
    "OUTLOOK_FIND",
    Find,
    title="find mails",
    help="Gives the mails of a folder.",
    summary=first_of("filter", "folder"),
    repeatable=True,
)
def find(config: Find, outlook: Calls) -> JsonObject:
    query = {
        "$filter": config.filter or None,
        "$select": ",".join(config.fields) or None,
        "$top": min(config.limit, 1000),
    }
    return outlook.pages(_PAGES, "/me/mailFolders/{}/messages", config.folder, query=query, most=config.limit)


class CreateEvent(ServiceConfig):
    subject: str = field(title="Title", min_length=1)
    begin: str = field(title="Begin", description="2026-03-01T08:00:00", min_length=1)
    end: str = field(title="End", min_length=1)
    time_zone: str = field("UTC", title="Time zone", description="Europe/Vienna", min_length=1)
    content: str = field("", multiline=True, title="Description")
    location: str = field("", title="Place")
    guests: MailAddresses = field((), title="Guests")


@OUTLOOK.action(
    "OUTLOOK_EVENT",
    CreateEvent,
    title="create an event",
    help="Puts an event into the calendar.",
    summary=first_of("subject"),
)
def create_event(config: CreateEvent, outlook: Calls) -> JsonObject:
    event = {
        "subject": config.subject,
        "start": {"dateTime": config.begin, "timeZone": config.time_zone},
        "end": {"dateTime": config.end, "timeZone": config.time_zone},
        "body": {"contentType": "Text", "content": config.content},
        "location": {"displayName": config.location} if config.location else None,
        "attendees": [{**guest, "type": "required"} for guest in _recipients(config.guests)],
        "transactionId": outlook.context.idempotency_key,
    }
    return outlook.post("/me/events", json=event)


def _recipients(addresses: Sequence[Address]) -> list[JsonObject]:
    return [{"emailAddress": {"name": one.name or one.mailbox, "address": one.mailbox}} for one in addresses]


def _attachment(file: Content) -> JsonObject:
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": file.name,
        "contentType": file.type,
        "contentBytes": base64.b64encode(b"".join(file.pieces())).decode(),
    }
