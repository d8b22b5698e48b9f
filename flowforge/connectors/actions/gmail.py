"""Gmail: send, search, read and label mails.

https://developers.google.com/workspace/gmail/api/reference/rest
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flowforge.charsets import declared_in, decode
from flowforge.connectors.connection_kinds.jwt import JWT
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import (
    Calls,
    ConnectorError,
    Content,
    Files,
    Mail,
    MailAddress,
    MailAddresses,
    Paging,
    Service,
    ServiceConfig,
    field,
    first_of,
    given,
    related,
)
from flowforge.jsonio import JsonObject
from flowforge.mail.addresses import read as read_address
from flowforge.mail.attachments import Attachment

GMAIL = Service("Gmail", "https://gmail.googleapis.com", "mail", (OAUTH2, JWT), ("google", "mail"))
_PAGES = Paging(by="cursor", at="body.nextPageToken", parameter="pageToken", items="body.messages")
_ME = "/gmail/v1/users/me"


class Send(ServiceConfig):
    to: MailAddresses = field(title="To", min_length=1)
    cc: MailAddresses = field((), title="Cc")
    bcc: MailAddresses = field((), title="Bcc")
    sender: MailAddress = field(None, title="From", description="One of the account's aliases. Empty: the account.")
    subject: str = field("", title="Subject", max_length=998)
    text: str = field("", multiline=True, title="Text")
    html: str = field("", multiline=True, title="HTML")
    attachments: Files = field(default_factory=list, title="Attachments", max_length=100)
    thread_id: str | None = field(None, title="Thread id", description="Of the conversation that it continues.")


@GMAIL.action(
    "GMAIL_SEND", Send, title="send a mail", help="Sends a mail from the account.", summary=first_of("subject")
)
def send(config: Send, gmail: Calls) -> JsonObject:
    files = [gmail.context.files.content(file) for file in config.attachments]
    mail = Mail(
        config.sender or read_address(gmail.told(gmail.get(f"{_ME}/profile"), "emailAddress")),
        config.to,
        config.subject,
        unique=gmail.context.idempotency_key,
        text=config.text,
        html=config.html,
        cc=config.cc,
        headers={"Bcc": ", ".join(one.mailbox for one in config.bcc)} if config.bcc else {},
        attachments=[Attachment(file.name, file.type, file.size, file.pieces) for file in files],
    )
    composed = mail.compose(datetime.now(UTC))
    content = Content("", "message/rfc822", len(composed), lambda: iter(composed))
    metadata = given({"threadId": config.thread_id})
    query = {"uploadType": "multipart"}
    return gmail.send("POST", f"/upload{_ME}/messages/send", query=query, data=related(metadata, content))


class Search(ServiceConfig):
    query: str = field("", title="Search", description="As in Gmail: from:ann is:unread newer_than:2d")
    labels: list[str] = field(default_factory=list, title="Labels", description="Ids that all mails have: INBOX.")
    limit: int = field(100, title="Mails at most", ge=1, le=10_000)


@GMAIL.action(
    "GMAIL_SEARCH",
    Search,
    title="search mails",
    help="Finds mails; gives their ids and threads, the newest first.",
    summary=first_of("query"),
    repeatable=True,
)
def search(config: Search, gmail: Calls) -> JsonObject:
    query = {"q": config.query or None, "labelIds": config.labels, "maxResults": min(config.limit, 500)}
    return gmail.pages(_PAGES, f"{_ME}/messages", query=query, most=config.limit)


class Read(ServiceConfig):
    message_id: str = field(title="Message id", min_length=1)


@GMAIL.action(
    "GMAIL_READ", Read, title="read a mail", help="Gives a mail's headers, texts and attachments.", repeatable=True
)
def read(config: Read, gmail: Calls) -> JsonObject:
    """The attachments are files of the execution."""
    message = gmail.get(f"{_ME}/messages/{{}}", config.message_id, query={"format": "full"})
    parts = list(_parts(message.get("payload") or {}))
    headers = {str(one.get("name", "")).lower(): one.get("value") for one in parts[0].get("headers") or ()}
    return {
        "id": message.get("id"),
        "threadId": message.get("threadId"),
        "labels": message.get("labelIds") or [],
        "snippet": message.get("snippet"),
        "headers": headers,
        "subject": headers.get("subject"),
        "from": headers.get("from"),
        "to": headers.get("to"),
        "date": headers.get("date"),
        "text": _text(parts, "text/plain"),
        "html": _text(parts, "text/html"),
        "attachments": [_attachment(part, config.message_id, gmail) for part in parts if part.get("filename")],
    }


class Label(ServiceConfig):
    message_id: str = field(title="Message id", min_length=1)
    add: list[str] = field(default_factory=list, title="Add", description="Ids of labels: STARRED, Label_7.")
    remove: list[str] = field(default_factory=list, title="Remove", description="Without UNREAD it counts as read.")


@GMAIL.action("GMAIL_LABEL", Label, title="label a mail", help="Adds and removes labels of a mail.", repeatable=True)
def label(config: Label, gmail: Calls) -> JsonObject:
    changes = {"addLabelIds": config.add, "removeLabelIds": config.remove}
    return gmail.post(f"{_ME}/messages/{{}}/modify", config.message_id, json=changes)


def _parts(payload: JsonObject) -> Iterator[JsonObject]:
    waiting = [payload]
    while waiting:
        part = waiting.pop(0)
        yield part
        waiting[:0] = part.get("parts") or []


def _text(parts: list[JsonObject], type_: str) -> str:
    part = next((part for part in parts if part.get("mimeType") == type_ and not part.get("filename")), {})
    content_type = next((h["value"] for h in part.get("headers") or () if h["name"].lower() == "content-type"), "")
    return decode(_bytes(part.get("body") or {}), declared_in(content_type))


def _attachment(part: JsonObject, message_id: str, gmail: Calls) -> JsonObject:
    body = part.get("body") or {}
    if body.get("attachmentId"):
        body = gmail.get(f"{_ME}/messages/{{}}/attachments/{{}}", message_id, body["attachmentId"])
    kept = gmail.context.files.keep(io.BytesIO(_bytes(body)), part["filename"], part.get("mimeType", ""))
    return kept.as_json()


def _bytes(body: Any) -> bytes:
    try:
        return base64.urlsafe_b64decode(body.get("data") or "")
    except ValueError as error:
        raise ConnectorError("Gmail gave a part that is no Base64", permanent=True) from error
