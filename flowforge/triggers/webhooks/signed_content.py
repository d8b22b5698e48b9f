"""What the sender of a call has signed: texts around the body, which may be a large file and is read in pieces."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

ReadPieces = Callable[[], Iterable[bytes]]
"""Reads the body from its start."""


@dataclass(frozen=True, slots=True)
class SignedContent:
    parts: tuple[bytes | ReadPieces, ...]
    """One after the other."""

    def hmac(self, key: bytes, algorithm: str) -> bytes:
        """The keyed digest (RFC 2104)."""
        digest = hmac.new(key, digestmod=algorithm)
        for piece in self._pieces():
            digest.update(piece)
        return digest.digest()

    def sha256(self) -> bytes:
        digest = hashlib.sha256()
        for piece in self._pieces():
            digest.update(piece)
        return digest.digest()

    def _pieces(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part()
