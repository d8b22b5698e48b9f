"""An email trigger's configuration, understood: which mailbox, which folder, which mails count. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flowforge.errors import Invalid, Problem

TLS_PORT, CLEAR_PORT = 993, 143
LONGEST_TEXT = 1000


class StartWith(StrEnum):
    """Which mails of a mailbox count that are older than the trigger's first look into it."""

    NEW = "new"  # those that arrived since the trigger was made
    UNSEEN = "unseen"  # those without the seen flag, as the originals have it


@dataclass(frozen=True, slots=True)
class Server:
    """An IMAP server."""

    host: str
    port: int
    secure: bool


@dataclass(frozen=True, slots=True)
class Mailbox:
    server: Server
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    subject_contains: str = ""
    from_address: str = ""
    start_with: StartWith = StartWith.NEW

    @classmethod
    def parse(cls, config: Mapping[str, Any], default: Server) -> Mailbox:
        """`password` must be in clear. Raises Invalid with a pointer to each field that cannot be used."""
        reader = _Reader(config)
        username = reader.text("username") or reader.text("emailAddress")
        if not username:
            reader.complain("/username", "is required")
        mailbox = cls(
            server=_server(reader, default),
            username=username,
            password=reader.required("password"),
            folder=reader.text("folder") or "INBOX",
            subject_contains=reader.text("subjectContains"),
            from_address=reader.text("fromAddress"),
            start_with=reader.start_with("startWith"),
        )
        if reader.problems:
            raise Invalid(reader.problems)
        return mailbox

    @property
    def source(self) -> str:
        """Names the folder of the account: the uids of another one mean something else."""
        return f"{self.username}@{self.server.host}:{self.server.port}/{self.folder}"

    def accepts(self, subject: str, sender: str) -> bool:
        """Both filters must match, as substrings without regard to case; an empty one always does."""
        return (
            self.subject_contains.casefold() in subject.casefold() and self.from_address.casefold() in sender.casefold()
        )


def _server(reader: _Reader, default: Server) -> Server:
    host = reader.text("host")
    if not host:
        return Server(default.host, reader.port("port", default.port), reader.flag("secure", default.secure))
    secure = reader.flag("secure", True)
    return Server(host, reader.port("port", TLS_PORT if secure else CLEAR_PORT), secure)


class _Reader:
    """Reads fields leniently, as the originals' clients wrote them, and gathers what cannot be read."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self.problems: list[Problem] = []

    def complain(self, pointer: str, message: str) -> None:
        self.problems.append(Problem(pointer, message))

    def text(self, name: str) -> str:
        value = self._config.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            self.complain(f"/{name}", f"must be a text of at most {LONGEST_TEXT} characters")
            return ""
        # A line break would end the IMAP command that carries the text, and start another one.
        if any(ord(character) < ord(" ") or character == "\x7f" for character in value):
            self.complain(f"/{name}", "must not contain control characters")
            return ""
        return value

    def required(self, name: str) -> str:
        known = len(self.problems)
        value = self.text(name)
        if not value and len(self.problems) == known:
            self.complain(f"/{name}", "is required")
        return value

    def port(self, name: str, default: int) -> int:
        value = self._config.get(name)
        if value in (None, ""):
            return default
        try:
            port = int(value)
        except (TypeError, ValueError):
            port = 0
        if not 1 <= port <= 65535:
            self.complain(f"/{name}", "must be a port from 1 to 65535")
        return port

    def flag(self, name: str, default: bool) -> bool:
        value = self._config.get(name)
        if value in (None, ""):
            return default
        if isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text not in {"true", "false"}:
            self.complain(f"/{name}", "must be true or false")
        return text != "false"

    def start_with(self, name: str) -> StartWith:
        value = self._config.get(name)
        if value in (None, ""):
            return StartWith.NEW
        try:
            return StartWith(str(value).lower())
        except ValueError:
            self.complain(f"/{name}", "must be new or unseen")
            return StartWith.NEW
