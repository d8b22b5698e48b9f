"""A mail as it goes over the wire (RFC 5322, 2045 to 2047, 2231): in ASCII, but for mailboxes that are not.

Headers are encoded and folded here: Python's own folding of addresses has cut names and commas wrongly in many of its
versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from secrets import token_hex

from flowforge import jsonio
from flowforge.mail import html_text
from flowforge.mail.addresses import Address, quoted
from flowforge.mail.attachments import Attachment

_LONGEST_LINE = 76
_LONGEST_ADDRESS_LINE = _LONGEST_LINE - len("Reply-To: ")
_PLAIN = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)
_LONG_WORD = re.compile(r"\S{200}")
_BREAK = re.compile("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to be sent. `unique`: names it for its Message-ID, the same whenever it is sent again. `headers`: others,
    in ASCII. Where there is no text, it is made of the HTML."""

    sender: Address
    to: Sequence[Address]
    subject: str
    unique: str
    text: str = ""
    html: str = ""
    cc: Sequence[Address] = ()
    bcc: Sequence[Address] = ()
    reply_to: Sequence[Address] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()

    @property
    def recipients(self) -> list[str]:
        """Every mailbox once."""
        return list(dict.fromkeys(address.mailbox for address in (*self.to, *self.cc, *self.bcc)))

    @property
    def message_id(self) -> str:
        return f"<{self.unique}@{self.sender.domain}>"

    @property
    def is_international(self) -> bool:
        """Whether it needs a server that takes mailboxes of other scripts (SMTPUTF8, RFC 6531)."""
        everybody = (self.sender, *self.to, *self.cc, *self.bcc, *self.reply_to)
        return not all(address.mailbox.isascii() for address in everybody)

    def compose(self, moment: datetime) -> Composed:
        """The mail as a server is given it, sent at the moment."""
        policy, boundary = _AS_SENT.clone(utf8=self.is_international), token_hex(16)
        head = b"".join(policy.fold_binary(name, value) for name, value in self._headers(moment))
        if self.attachments:
            head += f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
            head += f"--{boundary}\r\n".encode()
        return Composed(head + self._body().as_bytes(), boundary, self.attachments)

    def _body(self) -> EmailMessage:
        body = EmailMessage(_AS_SENT)
        body.set_content(self._text())
        if self.html:
            body.add_alternative(jsonio.writable(self.html), subtype="html")
        return body

    def _headers(self, moment: datetime) -> Iterable[tuple[str, str]]:
        yield "From", _addresses([self.sender])
        for name, those in (("To", self.to), ("Cc", self.cc), ("Reply-To", self.reply_to)):
            if those:
                yield name, _addresses(those)
        yield "Subject", _text("Subject", self.subject)
        yield "Date", format_datetime(moment)
        yield "Message-ID", self.message_id
        yield from self.headers.items()

    def _text(self) -> str:
        return jsonio.writable(self.text or (html_text.read(self.html, with_urls=True).text if self.html else ""))


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail in pieces of whole lines. `head`: all but the attachments."""

    head: bytes
    boundary: str
    attachments: Sequence[Attachment]

    def __len__(self) -> int:
        files = sum(len(self._between) + attachment.wire_size for attachment in self.attachments)
        return len(self.head) + files + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        for attachment in self.attachments:
            yield self._between
            yield from attachment.wire()
        yield self._end

    @property
    def _between(self) -> bytes:
        return f"\r\n--{self.boundary}\r\n".encode()

    @property
    def _end(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode() if self.attachments else b""


class _AsSent(EmailPolicy):
    """Headers are set as they are sent."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return name, value


_AS_SENT = _AsSent(linesep="\r\n", refold_source="none", cte_type="7bit")


def one_line(text: str) -> str:
    """A text that can be a header's: blanks at its ends are left out. Raises ValueError for line breaks in it."""
    text = text.strip()
    if _BREAK.search(text):
        raise ValueError("holds a line break")
    return _CONTROL.sub(" ", jsonio.writable(text))


def _text(name: str, text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and "=?" not in text and not _LONG_WORD.search(text)
    charset = "us-ascii" if is_plain else "utf-8"
    return Header(text, charset, header_name=name, maxlinelen=_LONGEST_LINE).encode(linesep="\r\n")


def _addresses(addresses: Iterable[Address]) -> str:
    """As many on a line as there is room for."""
    lines: list[str] = []
    for address in map(_address, addresses):
        if lines and len(lines[-1]) + len(address) < _LONGEST_ADDRESS_LINE:
            lines[-1] += f", {address}"
        else:
            lines.append(address)
    return ",\r\n ".join(lines)


def _address(address: Address) -> str:
    return f"{_phrase(address.name)} <{address.mailbox}>" if address.name else address.mailbox


def _phrase(name: str) -> str:
    if len(name) > _LONGEST_LINE or not _PLAIN.fullmatch(name) or "=?" in name:
        return Header(name, "utf-8", header_name="Reply-To", maxlinelen=_LONGEST_LINE).encode(linesep="\r\n")
    return name if _ATOMS.fullmatch(name) else quoted(name)
