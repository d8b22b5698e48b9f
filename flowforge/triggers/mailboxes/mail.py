"""A mail as a trigger's payload: decoded texts, attachments by name, type and size, all of bounded size. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import TypeVar

from imap_tools import MailAttachment, MailMessage

from flowforge import jsonio
from flowforge.jsonio import JsonObject

LARGEST_BODY = 1_000_000
LONGEST_HEADER = 2_000
MOST_RECIPIENTS = 200
MOST_ATTACHMENTS = 200
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "blockquote"})
_UNREAD = frozenset({"script", "style", "head", "title"})

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


def envelope(header: bytes) -> Envelope:
    """Read the envelope from a header. Never raises: a field that cannot be decoded is empty."""
    message = MailMessage.from_bytes(header)
    return Envelope(
        subject=_header(lambda: message.subject),
        sender=_header(lambda: message.from_values.full if message.from_values else ""),
        message_id=_header(lambda: str(message.obj["Message-ID"] or "").strip()),
    )


def payload(mail: Received) -> JsonObject:
    """The contract's payload (section 6) and ours: to, messageId, attachments; `truncated` where something was cut.

    Never raises: what cannot be decoded is empty.
    """
    message = MailMessage.from_bytes(mail.raw)
    head = envelope(mail.raw)
    body = _read_or_none(lambda: message.text or _text_of(message.html)) or ""
    fields: JsonObject = {
        "subject": head.subject,
        "from": head.sender,
        "body": _cut(body, LARGEST_BODY),
        "receivedDate": jsonio.format_time(mail.received_at),
        "contentType": "multipart" if message.obj.is_multipart() else "text",
        "to": _read_or_none(lambda: _recipients(message)) or [],
        "messageId": head.message_id,
        "attachments": _read_or_none(lambda: _attachments(message)) or [],
    }
    if mail.is_cut or len(body) > LARGEST_BODY:
        fields["truncated"] = True
        fields["size"] = mail.size
    return fields


def _recipients(message: MailMessage) -> list[str]:
    return [_cut(address.full, LONGEST_HEADER) for address in message.to_values[:MOST_RECIPIENTS]]


def _attachments(message: MailMessage) -> list[JsonObject]:
    return [_attachment(part) for part in message.attachments[:MOST_ATTACHMENTS]]


def _attachment(part: MailAttachment) -> JsonObject:
    return {"name": _header(lambda: part.filename), "type": part.content_type, "size": part.size}


def _header(read: Callable[[], str]) -> str:
    return _cut(_read_or_none(read) or "", LONGEST_HEADER)


def _read_or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - whatever a broken mail provokes must not stop its mailbox
        log.warning("Part of a mail is unreadable: %s: %s", type(error).__name__, error)
        return None


def _cut(text: str, length: int) -> str:
    text = text.encode("utf-8", "replace").decode()  # raw 8-bit headers come with surrogates, which JSON cannot hold
    return text if len(text) <= length else f"{text[:length]}… [{len(text) - length} characters cut]"


def _text_of(html: str) -> str:
    reader = _TextReader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).splitlines())
    return "\n".join(line for line in lines if line)


class _TextReader(HTMLParser):
    """Extracts the text that a person reads from an HTML mail."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread.append(tag)
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            self._unread.remove(tag)
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.pieces.append(data)
