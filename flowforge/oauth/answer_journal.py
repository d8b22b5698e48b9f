"""Answers to renewals, on disk until PostgreSQL holds them: a provider that rotates refresh tokens has ended the former
one by then."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from flowforge import jsonio
from flowforge.db.oauth_grants_store import NewTokens
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable, Vault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerJournal:
    """A folder with a sealed file for each answer that is not stored yet."""

    folder: Path
    vault: Vault

    def write(self, new: NewTokens) -> None:
        """Returns once the disk holds it. Where it cannot be written, the log says so: PostgreSQL alone has to hold."""
        try:
            self._write(
                self._path(new.connection_id, new.former), self.vault.seal(jsonio.dumps(_as_json(new)).decode())
            )
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

    def _write(self, path: Path, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(self.folder)

    def _read(self, path: Path) -> NewTokens | None:
        try:
            return _of_json(jsonio.loads(self.vault.open(path.read_text())))
        except FileNotFoundError:
            return None  # another process was quicker
        except (OSError, SecretUnreadable, ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read, and is left alone: %s", path, type(error).__name__)
            return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _as_json(new: NewTokens) -> JsonObject:
    return {
        "connection": str(new.connection_id),
        "former": new.former,
        "sealed": new.sealed,
        "endsAt": new.ends_at and new.ends_at.isoformat(),
        "renewAt": new.renew_at and new.renew_at.isoformat(),
        "scopes": new.scopes and list(new.scopes),
    }


def _of_json(kept: JsonObject) -> NewTokens:
    return NewTokens(
        UUID(kept["connection"]),
        kept["former"],
        kept["sealed"],
        _time(kept["endsAt"]),
        _time(kept["renewAt"]),
        kept["scopes"],
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
