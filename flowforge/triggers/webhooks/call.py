"""A call of a webhook as it came in, before anything of it is believed or parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from flowforge import jsonio
from flowforge.triggers.webhooks.signed_content import ReadPieces

_MOST_LOOKED_AT = 16 * 1024
"""Bytes of a body that are parsed before it is known who sends them."""


class PublishedKeys(Protocol):
    """The public keys that signers publish at an address."""

    def find(self, url: str, key_id: str | None) -> Any:
        """The key of that id, or the only one there is. Raises LookupError, and Unavailable."""


@dataclass(frozen=True)
class Call:
    method: str
    url: str
    """The public address as the caller wrote it, query included."""
    query: Mapping[str, str]
    """The first value of each parameter."""
    headers: Mapping[str, str]
    """By their names in lower case."""
    read_body: Callable[[], bytes]
    """Reads the whole body; raises TooLarge for more than is held in memory."""
    read_pieces: ReadPieces
    """Reads a body of any size, which is held nowhere in memory; raises TooLarge for more than may come in."""
    media_type: str
    """In lower case, without parameters."""
    at: float
    """The time at which it came in, in seconds since 1970."""
    keys: PublishedKeys | None = None

    @cached_property
    def body(self) -> bytes:
        """The bytes that came. Who proves nothing by them does not ask for them: they may be a large file."""
        return self.read_body()

    def header(self, name: str) -> str:
        """Empty where it was not sent."""
        return self.headers.get(name.lower(), "")

    @cached_property
    def body_object(self) -> Mapping[str, Any]:
        """The body, where it is a JSON object; else an empty one."""
        try:
            found = jsonio.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def body_id(self, name: str) -> str | None:
        """The id under that name in the body; None where it has none."""
        found = self.body_object.get(name)
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None

    @property
    def short_body_object(self) -> Mapping[str, Any]:
        """The body as `body_object` reads it; empty where it is too long to be a handshake."""
        size = sum(len(piece) for piece in _first(self.read_pieces(), _MOST_LOOKED_AT + 1))
        return self.body_object if size <= _MOST_LOOKED_AT else {}


def _first(pieces: Iterable[bytes], least: int) -> Iterator[bytes]:
    """The first pieces, which have at least so many bytes together, if there are so many."""
    for piece in pieces:
        yield piece
        least -= len(piece)
        if least <= 0:
            return
