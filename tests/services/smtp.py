"""A real SMTP server for the tests: aiosmtpd, from its wheel."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Inbox(MessageHandler):  # type: ignore[misc]
    """Keeps what it is sent; refuses anything for refused@x.test."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []
        self.wires: list[bytes] = []
        """The same, byte for byte."""

    def prepare_message(self, session: Session, envelope: Envelope) -> Message:
        self.wires.append(envelope.original_content or b"")
        return super().prepare_message(session, envelope)  # type: ignore[no-any-return]

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == "refused@x.test":
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def serving(inbox: Inbox, **options: Any) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def only_ada(_: Any, __: Any, ___: Any, ____: Any, login: Any) -> AuthResult:
    """An authenticator that knows one account: ada, with the password s3cret."""
    return AuthResult(success=(login.login, login.password) == (b"ada", b"s3cret"), handled=False)
