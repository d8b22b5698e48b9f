"""One look into a mailbox over IMAP: read-only, pinned to an address that was checked, every wait bounded."""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.service_ports import IMAP_PORTS
from flowforge.connectors.sdk import ConnectorError
from flowforge.secrets import MASK
from flowforge.triggers.mailboxes.mail import LARGEST_HEADER, Received
from flowforge.triggers.mailboxes.mailbox import Mailbox, Server

ANSWER_SECONDS = 15
LARGEST_MAIL = 10 * 1024 * 1024
LONGEST_QUOTE = 300
_LARGEST_READ = LARGEST_MAIL + LARGEST_HEADER
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UID = re.compile(r"\bUID (\d+)")
_SIZE = re.compile(r"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(r'\bINTERNALDATE "([^"]+)"')


class MailboxTrouble(Exception):
    """The reason why a mailbox cannot be read, in words for its owner."""


@dataclass(frozen=True, slots=True)
class Header:
    """The facts about a mail that one round trip fetches."""

    uid: int
    received_at: datetime
    size: int
    raw: bytes


class Session:
    """An authenticated connection with the folder open, as `uid_validity` numbers it."""

    def __init__(self, box: BaseMailBox) -> None:
        self._box = box
        self.uid_validity = self._read_announced_number("UIDVALIDITY") or 0
        uid_next = self._read_announced_number("UIDNEXT")
        self.highest_uid = uid_next - 1 if uid_next else max(self.uids("UID *"), default=0)

    def uids(self, criteria: str) -> list[int]:
        answer = self._box.uids(criteria, charset=None)
        try:
            return sorted(map(int, answer))
        except ValueError as error:
            raise MailboxTrouble(f"the mail server answers a search with {_quote(answer)}") from error

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
            raise MailboxTrouble(f"the mail server refused to hand out mails: {_quote(data)}")
        return list(_items(data))

    def _read_announced_number(self, name: str) -> int | None:
        _, values = self._box.client.response(name)
        return int(values[0]) if values and values[0] else None


@contextlib.contextmanager
def open_mailbox(mailbox: Mailbox, guard: AddressGuard, seconds: float) -> Iterator[Session]:
    """Sign in and open the folder read-only. After `seconds` the connection is cut, whatever it is doing.

    Raises MailboxTrouble, also for whatever goes wrong with the connection inside the block.
    """
    with _Watchdog(seconds) as watchdog:
        try:
            client = _Client(mailbox.server, guard, watchdog)
            try:
                yield _sign_in(client, mailbox)
            finally:
                _hang_up(client)
        except ConnectorError as error:
            raise MailboxTrouble(str(error)) from error
        except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
            raise MailboxTrouble(_explain(error, mailbox, seconds, watchdog)) from error


def imap_date(day: datetime) -> str:
    """17-Jul-1996, in English whatever the locale."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


class _Watchdog:
    """Cuts a connection when its time is over: a server that drips bytes never meets a socket's own time limit."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._bite)
        self._timer.daemon = True
        self._connection: socket.socket | None = None
        self.has_bitten = False

    def guard(self, connection: socket.socket) -> None:
        self._connection = connection

    def __enter__(self) -> _Watchdog:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _bite(self) -> None:
        self.has_bitten = True
        if self._connection is not None:
            with contextlib.suppress(OSError):  # it is closed already
                # Not the TLS socket's own shutdown: that would pull the rug from under the reading thread.
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)


class _Client(imaplib.IMAP4):
    """Connects to an address that was checked, under the name that was configured; reads no endless literals."""

    def __init__(self, server: Server, guard: AddressGuard, watchdog: _Watchdog) -> None:
        self._guard = guard
        self._secure = server.secure
        self._watchdog = watchdog
        super().__init__(server.host, server.port, ANSWER_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        connection = self._guard.connect(self.host, self.port, timeout or ANSWER_SECONDS, IMAP_PORTS)
        self._watchdog.guard(connection)
        if not self._secure:
            return connection
        context = ssl.create_default_context()
        secured = context.wrap_socket(connection, server_hostname=self.host, do_handshake_on_connect=False)
        self._watchdog.guard(secured)
        try:
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured

    def read(self, size: int) -> bytes:
        if size > _LARGEST_READ:
            raise self.abort(f"the server sends {size} bytes at once")
        return super().read(size)


class _Box(BaseMailBox):
    """imap-tools on a connection of ours."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._imap_client = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._imap_client


def _sign_in(client: imaplib.IMAP4, mailbox: Mailbox) -> Session:
    box = _Box(client)
    sign_in = box.login if (mailbox.username + mailbox.password).isascii() else box.login_utf8
    sign_in(mailbox.username, mailbox.password, initial_folder=None)
    box.folder.set(mailbox.folder, readonly=True)
    return Session(box)


def _hang_up(client: imaplib.IMAP4) -> None:
    """Politely if the server still listens. It may be why we hang up, so what it does now is of no interest."""
    with contextlib.suppress(imaplib.IMAP4.error, OSError):
        client.sock.settimeout(1)
        client.logout()
    with contextlib.suppress(OSError):
        client.shutdown()


def _explain(error: Exception, mailbox: Mailbox, seconds: float, watchdog: _Watchdog) -> str:
    where = f"{mailbox.server.host}:{mailbox.server.port}"
    if watchdog.has_bitten:
        return f"{where} took longer than {seconds:.0f} s"
    match error:
        case MailboxLoginError():
            text = f"{where} refuses user {mailbox.username!r} with this password: {_quote(error.command_result[1])}"
        case imaplib.IMAP4.error() if "AUTHENTICATIONFAILED" in str(error):
            text = f"{where} refuses user {mailbox.username!r} with this password: {_quote([str(error)])}"
        case MailboxFolderSelectError():
            text = f"{where} cannot open folder {mailbox.folder!r}: {_quote(error.command_result[1])}"
        case ssl.SSLCertVerificationError():
            text = f"the certificate of {where} cannot be trusted: {error.verify_message}"
        case ssl.SSLError():
            text = f"{where} does not speak TLS as expected; is `secure` right? ({error.reason})"
        case TimeoutError():
            text = f"{where} does not answer"
        case ConnectionRefusedError():
            text = f"{where} accepts no connections"
        case OSError():
            text = f"the connection to {where} failed: {error.strerror or error}"
        case _:
            text = f"{where} answers in an unexpected way: {_quote([str(error)])}"
    return text.replace(mailbox.password, MASK)


def _quote(data: Sequence[object]) -> str:
    texts = (piece.decode("utf-8", "replace") if isinstance(piece, bytes) else str(piece) for piece in data)
    return " ".join(" ".join(texts).split())[:LONGEST_QUOTE]


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
        raise MailboxTrouble(f"the mail server leaves out what was asked for: {_quote([about])}")
    try:
        received_at = parsedate_to_datetime(date[1]).astimezone(UTC)
    except ValueError as error:
        raise MailboxTrouble(f"the mail server states a date that is none: {date[1]!r}") from error
    return Header(int(uid[1]), received_at, int(size[1]), raw)
