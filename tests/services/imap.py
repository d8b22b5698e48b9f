"""A real IMAP server for the tests: pymap, from its wheel, with one account in memory."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import uuid4

import pytest
from imap_tools import MailBoxUnencrypted

from tests.connectors.certificate import Certificate
from tests.services.processes import start_server
from tests.waiting import eventually

USER, PASSWORD = "jane", "correct horse"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where it listens, and what a person's mail program and the world outside do with it."""

    port: int
    host: str = "127.0.0.1"

    def config(self, folder: str = "INBOX", **more: object) -> dict[str, object]:
        """The configuration of an email trigger on this server."""
        return {
            "host": self.host,
            "port": self.port,
            "secure": False,
            "username": USER,
            "password": PASSWORD,
            "folder": folder,
        } | more

    @contextmanager
    def signed_in(self) -> Iterator[MailBoxUnencrypted]:
        with MailBoxUnencrypted(self.host, self.port, timeout=10).login(USER, PASSWORD) as box:
            yield box

    def create(self, folder: str) -> None:
        with self.signed_in() as box:
            box.folder.create(folder)

    def new_folder(self) -> str:
        """Its name, which no other has."""
        name = f"folder-{uuid4().hex}"
        self.create(name)
        return name

    def recreate(self, folder: str) -> None:
        """Empty, and with another UIDVALIDITY."""
        with self.signed_in() as box:
            box.folder.delete(folder)
            box.folder.create(folder)

    def deliver(
        self,
        *subjects: str,
        folder: str = "INBOX",
        at: datetime | None = None,
        seen: bool = False,
        sender: str = "Shop <sales@shop.test>",
        raw: bytes | None = None,
    ) -> None:
        """Mails with these subjects arrive (at a given time); the Message-ID follows from the subject."""
        with self.signed_in() as box:
            for subject in subjects:
                message = raw or _message(subject, sender)
                box.append(message, folder, dt=at or datetime.now(UTC), flag_set=["\\Seen"] if seen else None)

    def seen(self, folder: str = "INBOX") -> int:
        with self.signed_in() as box:
            box.folder.set(folder)
            return len(box.uids("SEEN", charset=None))

    def mark_seen(self, folder: str = "INBOX") -> None:
        with self.signed_in() as box:
            box.folder.set(folder)
            box.flag(box.uids("ALL", charset=None), "\\Seen", True)


def _message(subject: str, sender: str) -> bytes:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = sender
    message["To"] = "jane@flow.test"
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@shop.test>"
    message.set_content(f"This is {subject}.")
    return message.as_bytes()


@pytest.fixture(scope="module")
def imap() -> Iterator[MailServer]:
    with running_imap() as server:
        yield server


@contextmanager
def running_imap(certificate: Certificate | None = None) -> Iterator[MailServer]:
    """With a certificate, it offers STARTTLS, and lets nobody in without."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = [sys.executable, "-c", "from pymap.main import main; main()", "--no-service=admin"]
    tls = [f"--cert={certificate.chain}", f"--key={certificate.key}"] if certificate else ["--no-tls"]
    listen = ["--host=127.0.0.1", f"--port={port}", *tls]
    account = ["dict", f"--demo-user={USER}", f"--demo-password={PASSWORD}"]
    process = start_server([*server, *listen, *account])
    try:
        eventually(lambda: _listens(port))
        yield MailServer(port)
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
