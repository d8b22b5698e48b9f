"""One conversation with a mail server over SMTP (RFC 5321): watched from the first byte, and not endless."""

from __future__ import annotations

import binascii
import re
import smtplib
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from flowforge.connectors.mail_transport import bearer
from flowforge.connectors.mail_transport.account import Account
from flowforge.connectors.mail_transport.bearer import BearerExchange
from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.deadlines import Watch
from flowforge.connectors.network.service_ports import SMTP_PORTS
from flowforge.mail.composing import Mail

Admit = Callable[[Mail], Mail]
"""Gives each mail as it may be sent. Raises ConnectorError for one that may not be."""
_LONGEST_WAIT_SECONDS = 30.0
_LARGEST_CONVERSATION = 1024 * 1024
_GO_ON = 354
_SIGNED_IN, _CHALLENGE = 235, 334
_FIRST_PERMANENT = 500
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Delivered:
    """`refused`: the recipients that the server has refused, while it took the mail for others."""

    message_id: str
    refused: list[str]


class SmtpConversation(smtplib.SMTP):
    """A connection of `smtplib` to the account's server, made by the guard and watched."""

    def __init__(self, account: Account, guard: AddressGuard, watch: Watch, admit: Admit | None = None) -> None:
        self._account = account
        self._admit = admit
        self._guard = guard
        self._watch = watch
        self._context = ssl.create_default_context()
        timeout = max(0.001, min(_LONGEST_WAIT_SECONDS, watch.deadline - time.monotonic()))
        # Any name passed here spares the library from asking the DNS for ours, which knows no deadline.
        super().__init__(account.host, account.port, local_hostname="localhost", timeout=timeout)
        self.local_hostname = _address_literal(self.connected)

    @property
    def connected(self) -> socket.socket:
        return cast(socket.socket, self.sock)

    def deliver(self, mail: Mail) -> Delivered:
        """Raises ConnectorError for a mail that is not admitted."""
        if self._admit is not None:
            mail = self._admit(mail)
        options = ("SMTPUTF8", "BODY=8BITMIME") if mail.is_international else ()
        composed: Any = mail.compose(datetime.now(UTC))  # the library asks for its length, and hands it to `data`
        refused = self.sendmail(mail.sender.mailbox, mail.recipients, composed, options)
        return Delivered(mail.message_id, sorted(refused))

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Sends the mail, a Composed, piece by piece."""
        self.putcmd("data")
        code, answer = self.getreply()
        if code != _GO_ON:
            raise smtplib.SMTPDataError(code, answer)
        for piece in msg:
            self.send(_LEADING_DOT.sub(b"..", piece))
        self.send(b".\r\n")
        return self.getreply()

    def sign_in(self) -> None:
        """Begin TLS and log in, as far as the account requires it."""
        self.ehlo_or_helo_if_needed()
        if self._account.security == "starttls":
            self.starttls(context=self._context)
        if self._account.tokens is not None:
            self.ehlo_or_helo_if_needed()
            offered = self.esmtp_features.get("auth", "").upper().split()
            bearer.sign_in(self._account, offered, self._authenticate_by)
        elif self._account.username:
            self.login(self._account.username, self._account.password)

    def _authenticate_by(self, exchange: BearerExchange) -> bool:
        """Whether the server lets the exchange's user in (RFC 4954, 4). Raises SMTPResponseException where it might do
        so later."""
        code, answer = self.docmd("AUTH", f"{exchange.mechanism.name} {_encoded(exchange.respond(b''))}")
        while code == _CHALLENGE:
            code, answer = self.docmd(_encoded(exchange.respond(_decoded(answer))))
        if code == _SIGNED_IN:
            return True
        if code < _FIRST_PERMANENT:
            raise smtplib.SMTPResponseException(code, answer)
        exchange.note_refusal(f"{code} {answer.decode('utf-8', 'replace')}")
        return False

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:  # connected just now, or TLS began
            self.file = _BoundedReplies(self.connected.makefile("rb"))
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._guard.connect(host, port, timeout, SMTP_PORTS)
        try:
            self._watch.add(plain)
            return self._context.wrap_socket(plain, server_hostname=host) if self._tls else plain
        except BaseException:
            plain.close()
            raise

    @property
    def _tls(self) -> bool:
        return self._account.security == "tls"


def _encoded(response: bytes | None) -> str:
    """A response as it is sent; None cancels."""
    return "*" if response is None else b64encode(response).decode()


def _decoded(challenge: bytes) -> bytes:
    try:
        return b64decode(challenge)
    except binascii.Error:
        return challenge


def _address_literal(connection: socket.socket) -> str:
    """The greeting of a client without a name of its own (RFC 5321, 4.1.3)."""
    address = str(connection.getsockname()[0])
    return f"[IPv6:{address}]" if connection.family == socket.AF_INET6 else f"[{address}]"


class _BoundedReplies:
    """The replies of a server, bounded in size: endless lines would fill the memory."""

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
