"""A folder of a mailbox, opened for reading only, over IMAP (RFC 3501)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from imap_tools.errors import MailboxFolderSelectError

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.mail_transport.imap import LARGEST_HEADER, LARGEST_MAIL, ImapConversation, quote

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UID = re.compile(r"\bUID (\d+)")
_SIZE = re.compile(r"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(r'\bINTERNALDATE "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Header:
    """The facts about a mail that one round trip fetches."""

    uid: int
    received_at: datetime
    size: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A mail as the server handed it out: `raw` may be cut, `size` is that of the whole."""

    raw: bytes
    size: int
    received_at: datetime

    @property
    def is_cut(self) -> bool:
        return len(self.raw) < self.size


class OpenFolder:
    """A folder as `uid_validity` numbers it. Everything raises ConnectorError where the server answers nonsense."""

    def __init__(self, conversation: ImapConversation, folder: str) -> None:
        self._box = conversation.box
        try:
            self._box.folder.set(folder, readonly=True)
        except MailboxFolderSelectError as error:
            refusal = quote(error.command_result[1])
            raise ConnectorError(f"the mail server cannot open folder {folder!r}: {refusal}", permanent=True) from error
        self.uid_validity = self._read_announced_number("UIDVALIDITY") or 0
        uid_next = self._read_announced_number("UIDNEXT")
        self.highest_uid = uid_next - 1 if uid_next else max(self.uids("UID *"), default=0)

    def uids(self, criteria: str) -> list[int]:
        answer = self._box.uids(criteria, charset=None)
        try:
            return sorted(map(int, answer))
        except ValueError as error:
            raise _unexpected(f"the mail server answers a search with {quote(answer)}") from error

    def unseen(self, first: int, last: int) -> list[int]:
        return self.uids(f"UID {first}:{last} UNSEEN")

    def since(self, first: int, last: int, moment: datetime) -> list[int]:
        """Search the mails that arrived on the day of `moment` or later. IMAP knows no hours here, and days of any
        zone."""
        day = moment.astimezone(UTC) - timedelta(days=1)
        return self.uids(f"UID {first}:{last} SINCE {imap_date(day)}")

    def from_uid(self, first: int) -> list[int]:
        # `n:*` always includes the last mail, even one before n.
        return [uid for uid in self.uids(f"UID {first}:*") if uid >= first]

    def headers(self, uids: Sequence[int]) -> list[Header]:
        """Fetch headers, in order of uid; mails that are gone by now are left out."""
        parts = f"(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.{LARGEST_HEADER}>)"
        items = self._fetch(uids, parts)
        return sorted((_header(about, raw) for about, raw in items), key=lambda header: header.uid)

    def mail(self, header: Header) -> Received | None:
        """The mail, cut at LARGEST_MAIL bytes; None if it is gone by now."""
        items = self._fetch([header.uid], f"(UID BODY.PEEK[]<0.{LARGEST_MAIL}>)")
        return Received(items[0][1], header.size, header.received_at) if items else None

    def _fetch(self, uids: Sequence[int], parts: str) -> list[tuple[str, bytes]]:
        if not uids:
            return []
        status, data = self._box.client.uid("FETCH", ",".join(map(str, uids)), parts)
        if status != "OK":
            raise _unexpected(f"the mail server refused to hand out mails: {quote(data)}")
        return list(_items(data))

    def _read_announced_number(self, name: str) -> int | None:
        _, values = self._box.client.response(name)
        return int(values[0]) if values and values[0] else None


def imap_date(day: datetime) -> str:
    """17-Jul-1996, in English whatever the locale."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def _items(data: Sequence[object]) -> Iterator[tuple[str, bytes]]:
    """Yield the attributes of each mail in the answer to a FETCH, and the part of the mail that came along."""
    for position, item in enumerate(data):
        following = data[position + 1] if position + 1 < len(data) else b""
        if isinstance(item, tuple):
            tail = following if isinstance(following, bytes) else b""
            yield (item[0] + b" " + tail).decode("ascii", "replace"), item[1]
        elif isinstance(item, bytes) and b"BODY[" in item:  # an empty part needs no literal
            yield item.decode("ascii", "replace"), b""


def _header(about: str, raw: bytes) -> Header:
    uid, size, date = _UID.search(about), _SIZE.search(about), _DATE.search(about)
    if uid is None or size is None or date is None:
        raise _unexpected(f"the mail server leaves out what was asked for: {quote([about])}")
    try:
        received_at = parsedate_to_datetime(date[1]).astimezone(UTC)
    except ValueError as error:
        raise _unexpected(f"the mail server states a date that is none: {date[1]!r}") from error
    return Header(int(uid[1]), received_at, int(size[1]), raw)


def _unexpected(message: str) -> ConnectorError:
    return ConnectorError(message, permanent=False)
