"""A mail as a trigger's payload: decoded texts, attachments by name, type and size, all of bounded size. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.triggers.mailboxes import message
from flowforge.triggers.mailboxes.cpu_limit import TookTooLong, cpu_limit
from flowforge.triggers.mailboxes.html_text import text_of_html
from flowforge.triggers.mailboxes.message import Part

LARGEST_HEADER = 64 * 1024
HEADER_SECONDS, CONTENT_SECONDS = 1.0, 4.0
"""The most CPU time that reading them may take. 10 MB of attachments take half a second."""
LARGEST_BODY = 1_000_000
LONGEST_HEADER = 2_000
MOST_RECIPIENTS = 200
MOST_ATTACHMENTS = 200

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of a mail's header that the filters and the payload need."""

    subject: str
    sender: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Received:
    """A mail as the server handed it out: `raw` may be cut, `size` is that of the whole."""

    raw: bytes
    size: int
    received_at: datetime

    @property
    def is_cut(self) -> bool:
        return len(self.raw) < self.size


def envelope(head: bytes) -> Envelope:
    """Read the envelope from a header. Never raises: what cannot be decoded, or not in time, is empty."""
    return _in_time(lambda: _envelope(head), HEADER_SECONDS) or Envelope("", "", "")


def payload(mail: Received) -> JsonObject:
    """The contract's payload (section 6) and ours: to, messageId, attachments; `truncated` where something was cut.

    Never raises: what cannot be decoded, or not in time, is empty.
    """
    head = envelope(mail.raw[:LARGEST_HEADER])
    found = _in_time(lambda: _content(mail.raw), CONTENT_SECONDS) or _UNREADABLE
    fields: JsonObject = {
        "subject": head.subject,
        "from": head.sender,
        "body": _cut(found.body, LARGEST_BODY),
        "receivedDate": jsonio.format_time(mail.received_at),
        "contentType": "multipart" if found.is_multipart else "text",
        "to": found.recipients,
        "messageId": head.message_id,
        "attachments": found.attachments,
    }
    if mail.is_cut or len(found.body) > LARGEST_BODY or found is _UNREADABLE:
        fields["truncated"] = True
        fields["size"] = mail.size
    return fields


@dataclass(frozen=True, slots=True)
class _Content:
    """Content of a mail, beside its envelope."""

    body: str
    is_multipart: bool
    recipients: list[str]
    attachments: list[JsonObject]


_UNREADABLE = _Content("", False, [], [])


def _envelope(head: bytes) -> Envelope:
    read = message.parse(head)
    sender = _readable(lambda: message.addresses(read, "From")[:1]) or [""]
    return Envelope(
        subject=_header(lambda: message.header(read, "Subject")),
        sender=_cut(sender[0], LONGEST_HEADER),
        message_id=_header(lambda: message.header(read, "Message-ID")),
    )


def _content(raw: bytes) -> _Content:
    read = message.parse(raw)
    return _Content(
        _readable(lambda: message.text_of(read, "text/plain") or text_of_html(message.text_of(read, "text/html")))
        or "",
        read.is_multipart(),
        _readable(lambda: _recipients(read)) or [],
        _readable(lambda: _attachments(read)) or [],
    )


def _recipients(read: Part) -> list[str]:
    return [_cut(address, LONGEST_HEADER) for address in message.addresses(read, "To")[:MOST_RECIPIENTS]]


def _attachments(read: Part) -> list[JsonObject]:
    found = (part for part in message.leaves(read) if _is_attachment(part))
    return [_attachment(part) for part in islice(found, MOST_ATTACHMENTS)]


def _is_attachment(part: Part) -> bool:
    return "Content-ID" in part or part.get_content_type() == "message/rfc822" or bool(message.filename(part))


def _attachment(part: Part) -> JsonObject:
    name = _header(lambda: message.filename(part))
    return {"name": name, "type": part.get_content_type(), "size": len(message.content(part))}


def _header(read: Callable[[], str]) -> str:
    return _cut(_readable(read) or "", LONGEST_HEADER)


def _in_time(read: Callable[[], T], seconds: float) -> T | None:
    """None where it takes more CPU time, which no honest mail does: Python's parser is not linear in everything, and
    one mailbox must not hold up the others."""
    try:
        with cpu_limit(seconds):
            return _readable(read)
    except TookTooLong:
        log.warning("Part of a mail is left out: reading it took more than %s s", seconds)
        return None


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - whatever a broken mail provokes must not stop its mailbox
        log.warning("Part of a mail is unreadable: %s: %s", type(error).__name__, error)
        return None


def _cut(text: str, length: int) -> str:
    text = jsonio.writable(text)
    return text if len(text) <= length else f"{text[:length]}… [{len(text) - length} characters cut]"
