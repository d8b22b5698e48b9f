"""Reports of mail servers on what became of a mail: delivered, delayed, bounced (RFC 3464, RFC 6533). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flowforge.triggers.mailboxes import message
from flowforge.triggers.mailboxes.message import Part

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ORIGINALS = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
_BLANK_LINES = re.compile(rb"(?:\r?\n){2,}")
_CHARACTER = re.compile(r"\\x\{(10[0-9A-F]{4}|[0-9A-F]{2,5})\}", re.IGNORECASE)
"""A character of an address where that has to be ASCII (RFC 6533, section 3)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome for one recipient. `action`: failed, delayed, delivered, relayed or expanded; `status`: its code
    (RFC 3463), such as 5.1.1; `diagnostic`: the words of the server that said so."""

    recipient: str
    action: str
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The failed recipients first. `message_id`: that of the mail it is about, where the report says it."""

    recipients: tuple[Delivery, ...]
    message_id: str


def delivery_report(mail: Part) -> DeliveryReport | None:
    """The report that the mail is; None for other mails."""
    leaves = list(message.leaves(mail))
    recipients = [each for leaf in leaves for each in _deliveries(leaf)]
    if not recipients:
        return None
    recipients.sort(key=lambda each: each.action != "failed")
    return DeliveryReport(tuple(recipients), next(filter(None, map(_original_id, leaves)), ""))


def _deliveries(leaf: Part) -> Iterator[Delivery]:
    for block in _blocks(leaf):
        recipient = _typed(block, "Final-Recipient") or _typed(block, "Original-Recipient")
        if recipient:
            yield _delivery(block, recipient)


def _blocks(leaf: Part) -> list[Part]:
    """The groups of fields of a delivery status. Of the kind for addresses that are not ASCII (RFC 6533), Python reads
    the first one alone."""
    if leaf.get_content_type() == "message/global-delivery-status":
        return [message.parse_head(block) for block in _BLANK_LINES.split(message.content(leaf))]
    return message.inner_parts(leaf) if leaf.get_content_type() == "message/delivery-status" else []


def _delivery(block: Part, recipient: str) -> Delivery:
    status = message.header(block, "Status")
    code = _STATUS.search(status)
    return Delivery(
        recipient=recipient,
        action=message.header(block, "Action").lower(),
        status=code[0] if code else status,
        diagnostic=_typed(block, "Diagnostic-Code"),
    )


def _typed(block: Part, name: str) -> str:
    """The value of a field whose type stands before it: `rfc822; ann@example.org`."""
    kind, separator, value = message.header(block, name).partition(";")
    bare = (value if separator else kind).strip().removeprefix("<").removesuffix(">")
    return _CHARACTER.sub(lambda found: chr(int(found[1], 16)), bare)


def _original_id(leaf: Part) -> str:
    if leaf.get_content_type() in _ORIGINALS:
        return message.header(message.parse_head(message.content(leaf)), "Message-ID")
    return ""
