"""A mail as a trigger's payload: texts, addresses, links, attachments by name, type and size; all bounded. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TypeVar

from flowforge import jsonio
from flowforge.connectors.mail_transport.imap import LARGEST_HEADER
from flowforge.connectors.mail_transport.mailbox import Received
from flowforge.jsonio import JsonObject
from flowforge.mail import html_text
from flowforge.mail.links import Link, links_in_text
from flowforge.triggers.mailboxes import message
from flowforge.triggers.mailboxes.cpu_limit import TookTooLong, cpu_limit
from flowforge.triggers.mailboxes.delivery_report import DeliveryReport, delivery_report
from flowforge.triggers.mailboxes.message import Part

HEADER_SECONDS, CONTENT_SECONDS, CONTENT_SECONDS_PER_MB = 0.3, 0.3, 0.2
"""The most CPU time that reading them may take: some four times of what the slowest honest mails need."""
LARGEST_BODY = 1_000_000
LONGEST_HEADER = 2_000
MOST_RECIPIENTS = 200
MOST_ATTACHMENTS = 200
MOST_LINKS = 200
_ONLY_BEGUN = "only the beginning of the mail was read"

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of a mail's header that the filters and the payload need."""

    subject: str
    sender: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file, or another mail, that came with a mail."""

    name: str
    type: str
    content: bytes


Keep = Callable[[Attached], JsonObject]
"""Keeps an attachment, and gives what stands for it in the payload."""


def described(attached: Attached) -> JsonObject:
    return {"name": attached.name, "type": attached.type, "size": len(attached.content)}


def left_out(attached: Attached, why: str) -> JsonObject:
    return {**described(attached), "leftOut": why}


def envelope(head: bytes) -> Envelope:
    """Read the envelope from a header. Never raises: what cannot be decoded, or not in time, is empty."""
    return _in_time(lambda: _envelope(head), HEADER_SECONDS) or Envelope("", "", "")


def payload(mail: Received, keep: Keep = described) -> JsonObject:
    """The contract's payload (section 6) and, from `to` on, ours; `truncated` where something was cut.

    Never raises, but for what `keep` does: what cannot be decoded, or not in time, is empty.
    """
    head = mail.raw[:LARGEST_HEADER]
    about = envelope(head)
    found = _in_time(lambda: _content(mail.raw), _content_seconds(mail)) or _UNREADABLE
    fields: JsonObject = {
        "subject": about.subject,
        "from": about.sender,
        "body": _cut(found.body, LARGEST_BODY),
        "receivedDate": jsonio.format_time(mail.received_at),
        "contentType": "multipart" if found.is_multipart else "text",
        "to": found.to,
        "messageId": about.message_id,
        "attachments": _kept(found.attachments, keep, is_cut=mail.is_cut),
        "cc": found.cc,
        "replyTo": found.reply_to,
        "text": _cut(found.text, LARGEST_BODY),
        "html": _cut(found.html, LARGEST_BODY),
        "links": found.links,
        "headers": _in_time(lambda: _headers(head), HEADER_SECONDS) or {},
        "report": found.report,
    }
    if mail.is_cut or found.is_too_long or found is _UNREADABLE:
        fields["truncated"] = True
        fields["size"] = mail.size
    return fields


@dataclass(frozen=True, slots=True)
class _Content:
    """Content of a mail, beside its envelope. `body`: what people read, whichever part it stands in."""

    text: str = ""
    html: str = ""
    body: str = ""
    links: list[JsonObject] = field(default_factory=list)
    is_multipart: bool = False
    to: list[str] = field(default_factory=list)
    cc: list[str] = field(default_factory=list)
    reply_to: list[str] = field(default_factory=list)
    attachments: list[Attached] = field(default_factory=list)
    report: JsonObject | None = None

    @property
    def is_too_long(self) -> bool:
        return max(len(self.text), len(self.html)) > LARGEST_BODY


_UNREADABLE = _Content()


def _kept(attachments: list[Attached], keep: Keep, *, is_cut: bool) -> list[JsonObject]:
    """All of a mail as the payload has them. Where the mail was cut, so was the last one."""
    whole, last = (attachments[:-1], attachments[-1:]) if is_cut else (attachments, [])
    return [keep(each) for each in whole] + [left_out(each, _ONLY_BEGUN) for each in last]


def _content_seconds(mail: Received) -> float:
    return CONTENT_SECONDS + CONTENT_SECONDS_PER_MB * len(mail.raw) / 1_000_000


def _envelope(head: bytes) -> Envelope:
    read = message.parse_head(head)
    sender = _readable(lambda: message.addresses_in(read, "From")[:1]) or [""]
    return Envelope(
        subject=_header(lambda: message.header(read, "Subject")),
        sender=_cut(sender[0], LONGEST_HEADER),
        message_id=_header(lambda: message.header(read, "Message-ID")),
    )


def _content(raw: bytes) -> _Content:
    read = message.parse(raw)
    text = _readable(lambda: message.text_of(read, "text/plain")) or ""
    html = _readable(lambda: message.text_of(read, "text/html")) or ""
    as_text = html_text.read(html[:LARGEST_BODY])
    return _Content(
        text=text,
        html=html,
        body=text or as_text.text,
        links=_links(as_text.links or links_in_text(text[:LARGEST_BODY])),
        is_multipart=read.is_multipart(),
        to=_addresses(read, "To"),
        cc=_addresses(read, "Cc"),
        reply_to=_addresses(read, "Reply-To"),
        attachments=_readable(lambda: _attachments(read)) or [],
        report=_report(_readable(lambda: delivery_report(read))),
    )


def _addresses(read: Part, name: str) -> list[str]:
    found = _readable(lambda: message.addresses_in(read, name)) or []
    return [_cut(address, LONGEST_HEADER) for address in found[:MOST_RECIPIENTS]]


def _headers(head: bytes) -> JsonObject:
    return {
        _cut(name, LONGEST_HEADER): _cut_each(value)
        for name, value in message.headers(message.parse_head(head)).items()
    }


def _cut_each(value: str | list[str]) -> str | list[str]:
    return _cut(value, LONGEST_HEADER) if isinstance(value, str) else [_cut(each, LONGEST_HEADER) for each in value]


def _links(links: Iterable[Link]) -> list[JsonObject]:
    return [
        {"url": jsonio.writable(link.url), "text": _cut(link.text, LONGEST_HEADER)}
        for link in islice(links, MOST_LINKS)
    ]


def _report(report: DeliveryReport | None) -> JsonObject | None:
    """The first recipient stands for all where there is but one."""
    if report is None:
        return None
    recipients = [asdict(each) for each in report.recipients[:MOST_RECIPIENTS]]
    return {**recipients[0], "messageId": report.message_id, "recipients": recipients}


def _attachments(read: Part) -> list[Attached]:
    found = (part for part in message.leaves(read) if message.is_attachment(part))
    return [_attachment(part) for part in islice(found, MOST_ATTACHMENTS)]


def _attachment(part: Part) -> Attached:
    return Attached(_header(lambda: message.filename(part)), part.get_content_type(), message.content(part))


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
