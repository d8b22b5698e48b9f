"""What a store of contents does: it keeps objects, each written once under a key of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Protocol
from uuid import UUID

CHUNK_BYTES = 256 * 1024
"""What is held of a content at once."""


class ObjectStore(Protocol):
    """Its methods raise Unavailable where it does not answer. Safe to share between threads."""

    def write(self, key: UUID, source: IO[bytes], size: int) -> None:
        """Writes `size` bytes from where the source stands; when it returns, they last."""

    def open(self, key: UUID) -> AbstractContextManager[Iterator[bytes]]:
        """The object in pieces. Raises ObjectMissing."""

    def delete(self, key: UUID) -> None:
        """Deletes an object; one that is not there, too."""


class ObjectMissing(Exception):
    """The store does not have an object that the database knows."""


def sha256_of(source: IO[bytes]) -> str:
    """The digest of a whole file, in hexadecimal digits."""
    source.seek(0)
    digest = hashlib.sha256()
    for piece in pieces_of(source):
        digest.update(piece)
    return digest.hexdigest()


def pieces_of(source: IO[bytes], size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The content from where the source stands, at most `size` bytes at once."""
    while piece := source.read(size):
        yield piece
