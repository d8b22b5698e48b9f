"""Contents in a folder: `file:///srv/flowforge/files`. Processes on several machines have to share it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import IO
from urllib.parse import unquote, urlsplit
from uuid import UUID

from flowforge.durable_files import durable_file, sync_folder
from flowforge.errors import Unavailable
from flowforge.files.object_store import CHUNK_BYTES, ObjectMissing, pieces_of
from flowforge.sentences import sentence
from flowforge.settings import Settings


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Nobody but the user of the processes may read it."""

    folder: Path

    def write(self, key: UUID, source: IO[bytes], size: int) -> None:
        del size
        path = self._path(key)
        with _unavailable_when_it_fails():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            with durable_file(path) as target:
                copyfileobj(source, target, CHUNK_BYTES)
            sync_folder(path.parent)

    @contextmanager
    def open(self, key: UUID) -> Iterator[Iterator[bytes]]:
        with _unavailable_when_it_fails():
            file = self._existing(key)
        with file:
            yield pieces_of(file)

    def delete(self, key: UUID) -> None:
        with _unavailable_when_it_fails():
            self._path(key).unlink(missing_ok=True)

    def _existing(self, key: UUID) -> IO[bytes]:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise ObjectMissing(str(key)) from error

    def _path(self, key: UUID) -> Path:
        """By the last digits, which are random: the first ones are a time."""
        return self.folder / key.hex[-2:] / key.hex


def open_folder(url: str, settings: Settings) -> FolderStore:
    del settings
    return FolderStore(Path(unquote(urlsplit(url).path)))


@contextmanager
def _unavailable_when_it_fails() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            sentence("the folder of files cannot be used: %(strerror)s", strerror=error.strerror)
        ) from error
