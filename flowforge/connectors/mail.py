"""Sending mail: the SMTP server of a step, or the instance's own."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import BinaryIO, Literal, TypeVar, cast

from flowforge.connectors.addresses import EVERYWHERE, AddressGuard
from flowforge.connectors.deadlines import Deadlines, Watch
from flowforge.connectors.sdk import ConnectorError

R = TypeVar("R")
Security = Literal["starttls", "tls", "none"]
_LONGEST_WAIT_SECONDS = 30.0
_GOODBYE_SECONDS = 2.0
_LARGEST_CONVERSATION = 1024 * 1024
_LOWEST_CODE = 100


@dataclass(frozen=True, slots=True)
class Account:
    host: str
    port: int
    username: str
    password: str
    security: Security


@dataclass(frozen=True, slots=True)
class MailServer:
    """`default` is the instance's own account (its host may be empty), `sender` its From address."""

    guard: AddressGuard
    deadlines: Deadlines
    default: Account
    sender: str

    def send(self, account: Account, message: EmailMessage, deadline: float) -> list[str]:
        """Delivers to the server before the deadline; returns the addresses it refused. Raises ConnectorError.

        The instance's own server may be anywhere, those that a step names only where the guard allows.
        """
        return self._talk(account, deadline, lambda smtp: smtp.deliver(message))

    def sign_in(self, account: Account, deadline: float) -> None:
        """Whether the server would take a mail from that account. Raises ConnectorError."""
        self._talk(account, deadline, lambda smtp: smtp.sign_in())

    def _talk(self, account: Account, deadline: float, talk: Callable[[_Connection], R]) -> R:
        guard = EVERYWHERE if account is self.default else self.guard
        try:
            with self.deadlines.watch(deadline) as watch:
                smtp = _Connection(account, guard, watch)
                try:
                    said = talk(smtp)
                    self._say_goodbye(smtp)
                    return said
                finally:
                    smtp.close()
        except smtplib.SMTPAuthenticationError as error:
            raise ConnectorError("the mail server refused the user name or password", permanent=True) from error
        except smtplib.SMTPRecipientsRefused as error:
            permanent = all(code >= 500 for code, _ in error.recipients.values())
            raise ConnectorError("the mail server refused every recipient", permanent) from error
        except smtplib.SMTPResponseException as error:
            if error.smtp_code < _LOWEST_CODE:
                raise ConnectorError(f"{account.host} does not answer as a mail server does", False) from error
            raise ConnectorError(f"the mail server answered {error.smtp_code}", error.smtp_code >= 500) from error
        except smtplib.SMTPNotSupportedError as error:
            raise ConnectorError(f"the mail server {account.host} cannot do it: {error}", permanent=True) from error
        except ssl.SSLCertVerificationError as error:
            told = f"the mail server {account.host} shows no certificate that can be trusted"
            raise ConnectorError(told, permanent=True) from error
        except UnicodeError as error:
            raise ConnectorError("mail servers take user names and passwords in ASCII only", permanent=True) from error
        except (smtplib.SMTPException, OSError) as error:
            if time.monotonic() >= deadline or TimeoutError in {type(error), type(error.__context__)}:
                raise ConnectorError(f"the mail server {account.host} did not take the mail in time", False) from error
            raise ConnectorError(f"the connection to the mail server {account.host} failed", False) from error

    def _say_goodbye(self, smtp: _Connection) -> None:
        """The server has the mail: whatever becomes of QUIT, sending again would be the only mistake left to make."""
        try:
            with self.deadlines.watch(time.monotonic() + _GOODBYE_SECONDS) as watch:
                watch.add(smtp.connected)
                smtp.quit()
        except (smtplib.SMTPException, OSError):
            return


class _Connection(smtplib.SMTP):
    """One conversation with a server: watched from the first byte, and not endless."""

    def __init__(self, account: Account, guard: AddressGuard, watch: Watch) -> None:
        self._account = account
        self._guard = guard
        self._watch = watch
        self._context = ssl.create_default_context()
        timeout = max(0.001, min(_LONGEST_WAIT_SECONDS, watch.deadline - time.monotonic()))
        # Any name given here spares the library from asking the DNS for ours, which knows no deadline.
        super().__init__(account.host, account.port, local_hostname="localhost", timeout=timeout)
        self.local_hostname = _address_literal(self.connected)

    @property
    def connected(self) -> socket.socket:
        return cast(socket.socket, self.sock)

    def deliver(self, message: EmailMessage) -> list[str]:
        """Returns the addresses that were refused."""
        self.sign_in()
        return sorted(self.send_message(message))

    def sign_in(self) -> None:
        """Where the account says so."""
        self.ehlo_or_helo_if_needed()
        if self._account.security == "starttls":
            self.starttls(context=self._context)
        if self._account.username:
            self.login(self._account.username, self._account.password)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:  # connected just now, or TLS began
            self.file = _Heard(self.connected.makefile("rb"))
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._guard.connect(host, port, timeout)
        try:
            self._watch.add(plain)
            return self._context.wrap_socket(plain, server_hostname=host) if self._tls else plain
        except BaseException:
            plain.close()
            raise

    @property
    def _tls(self) -> bool:
        return self._account.security == "tls"


def _address_literal(connection: socket.socket) -> str:
    """What a client without a name of its own greets with (RFC 5321, 4.1.3)."""
    address = str(connection.getsockname()[0])
    return f"[IPv6:{address}]" if connection.family == socket.AF_INET6 else f"[{address}]"


class _Heard:
    """What a server says, as far as anybody would listen: a reply of endless lines would fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _LARGEST_CONVERSATION

    def readline(self, size: int) -> bytes:
        line = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected("the server does not stop talking")
        if line and not line.endswith(b"\n") and len(line) < size:
            # The library would take "250", cut off there, for the end of an answer, and "25" for another one.
            raise smtplib.SMTPServerDisconnected("the connection ended in the middle of an answer")
        return line

    def close(self) -> None:
        self._file.close()
