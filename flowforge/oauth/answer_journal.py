"""Answers to renewals, on disk until PostgreSQL holds them: a provider that rotates refresh tokens has ended the former
one by then."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter

from flowforge import jsonio
from flowforge.db.oauth_grants_store import NewTokens
from flowforge.durable_files import replace_durably
from flowforge.secrets import SecretUnreadable, Vault

_NEW_TOKENS: TypeAdapter[NewTokens] = TypeAdapter(NewTokens)
_FORMER_NAMES = {"connection": "connection_id", "endsAt": "ends_at", "renewAt": "renew_at"}
"""The names of fields, as the release before wrote them: what it has noted may be all that is left of a sign-in."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerJournal:
    """A folder with a sealed file for each answer that is not stored yet."""

    folder: Path
    vault: Vault

    def write(self, new: NewTokens) -> None:
        """Returns once the disk holds it. Where it cannot be written, the log says so: PostgreSQL alone has to hold."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            sealed = self.vault.seal(jsonio.dumps(new).decode())
            replace_durably(self._path(new.connection_id, new.former), sealed.encode())
        except OSError as error:
            log.warning("a renewed token could not be noted in %s: %s", self.folder, error.strerror)

    def entries(self) -> Iterator[NewTokens]:
        for path in sorted(self.folder.glob("*.sealed")) if self.folder.is_dir() else ():
            found = self._read(path)
            if found is not None:
                yield found

    def find(self, connection_id: UUID, former: int) -> NewTokens | None:
        """The answer that takes the place of the tokens of that generation."""
        path = self._path(connection_id, former)
        return self._read(path) if path.exists() else None

    def remove(self, new: NewTokens) -> None:
        self._path(new.connection_id, new.former).unlink(missing_ok=True)

    def _path(self, connection_id: UUID, former: int) -> Path:
        return self.folder / f"{connection_id}.{former}.sealed"

    def _read(self, path: Path) -> NewTokens | None:
        try:
            kept = jsonio.loads(self.vault.open(path.read_text()))
            return _NEW_TOKENS.validate_python({_FORMER_NAMES.get(name, name): value for name, value in kept.items()})
        except FileNotFoundError:
            return None  # another process was quicker
        except (OSError, SecretUnreadable, ValueError) as error:
            log.warning("%s cannot be read, and is left alone: %s", path, type(error).__name__)
            return None
