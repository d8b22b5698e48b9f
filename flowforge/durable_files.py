"""Files that are on disk once they are written, and that nobody but the user of the process may read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def durable_file(path: Path, *, must_be_new: bool = False) -> Iterator[IO[bytes]]:
    """Opens a file for writing; at the end the disk holds its content, and its name where `sync_folder` follows.
    Raises OSError, FileExistsError too where it must be new and is not."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_EXCL if must_be_new else os.O_TRUNC), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Puts a file with that content in place of what stands there, if anything: never a part of it. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with durable_file(draft) as file:
        file.write(content)
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Returns once the disk holds the names in the folder. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
