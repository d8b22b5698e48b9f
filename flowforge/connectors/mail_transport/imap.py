"""A conversation with a mail server over IMAP (RFC 3501): watched from the first byte, and bounded in what it reads."""

from __future__ import annotations

import binascii
import contextlib
import imaplib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, MailboxLoginError

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.mail_transport import bearer
from flowforge.connectors.mail_transport.account import Account
from flowforge.connectors.mail_transport.bearer import BearerExchange
from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.deadlines import Deadlines, Watch
from flowforge.connectors.network.service_ports import IMAP_PORTS
from flowforge.secrets import mask_text

_ANSWER_SECONDS = 15
_LONGEST_QUOTE = 300
LARGEST_MAIL = 10 * 1024 * 1024
LARGEST_HEADER = 64 * 1024
_LARGEST_READ = LARGEST_MAIL + LARGEST_HEADER


class ImapConversation(imaplib.IMAP4):
    """A connection of `imaplib` to the account's server, made by the guard and watched; reads no endless literals."""

    def __init__(self, account: Account, guard: AddressGuard, watch: Watch) -> None:
        self._account = account
        self._guard = guard
        self._watch = watch
        self._context = ssl.create_default_context()
        super().__init__(account.host, account.port, _ANSWER_SECONDS)
        self.box = _Box(self)

    def sign_in(self) -> None:
        """Begin TLS and log in, as far as the account requires it."""
        if self._account.security == "starttls":
            self.starttls(self._context)
        if self._account.tokens is not None:
            bearer.sign_in(self._account, self._offered(), self._authenticate_by)
        elif self._account.username:
            self._log_in(self._account.username, self._account.password)

    def read(self, size: int) -> bytes:
        if size > _LARGEST_READ:
            raise self.abort(f"the server sends {size} bytes at once")
        return super().read(size)

    def _offered(self) -> list[str]:
        return [name.removeprefix("AUTH=") for name in self.capabilities if name.startswith("AUTH=")]

    def _authenticate_by(self, exchange: BearerExchange) -> bool:
        """Whether the server lets the exchange's user in."""
        try:
            self.authenticate(exchange.mechanism.name, exchange.respond)
        except self.abort:  # the connection is gone
            raise
        except self.error as error:
            exchange.note_refusal(str(error))
            return False
        return True

    def _log_in(self, username: str, password: str) -> None:
        log_in = self.box.login if (username + password).isascii() else self.box.login_utf8
        log_in(username, password, initial_folder=None)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = self._guard.connect(self.host, self.port, timeout or _ANSWER_SECONDS, IMAP_PORTS)
        try:
            self._watch.add(plain)
            tls = self._account.security == "tls"
            return self._context.wrap_socket(plain, server_hostname=self.host) if tls else plain
        except BaseException:
            plain.close()
            raise


class _Box(BaseMailBox):
    """imap-tools on a connection of ours."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._imap_client = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._imap_client


@contextmanager
def imap_session(
    account: Account, guard: AddressGuard, deadlines: Deadlines, deadline: float
) -> Iterator[ImapConversation]:
    """A conversation with a server that the guard allows, signed in, over by the deadline. Raises ConnectorError, also
    for errors within it."""
    seconds = deadline - time.monotonic()
    with deadlines.watch(deadline) as watch:
        try:
            conversation = ImapConversation(account, guard, watch)
            try:
                conversation.sign_in()
                yield conversation
            finally:
                _hang_up(conversation)
        except (ImapToolsError, imaplib.IMAP4.error, binascii.Error, OSError) as error:
            if watch.has_cut:
                raise ConnectorError(f"{account.server} took longer than {seconds:.0f} s", permanent=False) from error
            raise _connector_error(error, account) from error


def quote(data: Sequence[object]) -> str:
    """What a server said, cut."""
    texts = (piece.decode("utf-8", "replace") if isinstance(piece, bytes) else str(piece) for piece in data)
    return " ".join(" ".join(texts).split())[:_LONGEST_QUOTE]


def _hang_up(client: ImapConversation) -> None:
    """Politely if the server still listens. It may be why we hang up, so what it does now is of no interest."""
    with contextlib.suppress(imaplib.IMAP4.error, OSError):
        client.sock.settimeout(1)
        client.logout()
    with contextlib.suppress(OSError):
        client.shutdown()


def _connector_error(error: Exception, account: Account) -> ConnectorError:
    permanent, reason = _explain(error, account)
    return ConnectorError(mask_text(f"{account.server} {reason}", [account.password]), permanent)


def _explain(error: Exception, account: Account) -> tuple[bool, str]:
    """Whether it is permanent, and what the server does."""
    match error:
        case MailboxLoginError():
            return True, f"refuses user {account.username!r} with this password: {quote(error.command_result[1])}"
        case imaplib.IMAP4.error() if "AUTHENTICATIONFAILED" in str(error):
            return True, f"refuses user {account.username!r} with this password: {quote([error])}"
        case ssl.SSLCertVerificationError():
            return True, f"shows no certificate that can be trusted: {error.verify_message}"
        case ssl.SSLError():
            return True, f"does not speak TLS as expected; are port and security right? ({error.reason})"
        case TimeoutError():
            return False, "does not answer"
        case ConnectionRefusedError():
            return False, "accepts no connections"
        case OSError():
            return False, f"ended the connection: {error.strerror or error}"
    return False, f"answers in an unexpected way: {quote([error])}"
