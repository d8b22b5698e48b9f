"""An answer that comes in: its head, then its body piece by piece, within bounds. Whoever moves the bytes hands them
in here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from flowforge.charsets import header_text
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.memory import Memory, Uncounted
from flowforge.field_order import in_stored_order

MOST_HEADERS = 99
"""http.client has this bound, too."""
_MOST_HEAD_BYTES = 128 * 1024
"""Of a head, and of all informational answers (1xx) before it."""
_MOST_WIRE_BYTES = 2
"""For each byte that a body may have: chunks wrap it."""
_NO_HEAD = Response(0, {}, b"")
Header = tuple[str, str]
"""Name and value as they came, their bytes read as Latin-1."""


class BodyTaker(Protocol):
    """Takes the body of an answer while it comes: into a file, or event by event."""

    @property
    def most_bytes(self) -> int:
        """The most that a body may have."""

    @property
    def most_held(self) -> int:
        """The most bytes of a body that it holds in memory."""

    @property
    def wants(self) -> Callable[[Response], bool]:
        """Whether it takes the body of an answer, by its status and headers."""

    def begin(self) -> None:
        """Its body comes now. It may turn out to be empty."""

    def add(self, piece: bytes) -> None:
        """Takes the next piece. May block. Raises ConnectorError."""

    def close(self) -> None:
        """Lets go of a body that it has taken."""


@dataclass(slots=True)
class IncomingAnswer:
    """`host`: what errors call the receiver; `most_bytes`: those of a body that nobody takes."""

    host: str
    most_bytes: int
    taker: BodyTaker | None = None
    memory: Memory = field(default_factory=Uncounted)
    """Counts what is held of the body."""
    is_taken: bool = False
    """Whether the body goes to the taker."""
    is_head_awaited: bool = True
    """Whether the head has yet to come."""
    head: Response = _NO_HEAD
    """Its status and headers, once they have come."""
    pieces: list[bytes] = field(default_factory=list)
    """Those of a body that nobody takes."""
    _size: int = 0
    _wire_bytes_left: int = _MOST_HEAD_BYTES

    def note(self, size: int) -> None:
        """Takes note of bytes that came over the wire, before anybody reads what they say. Raises ConnectorError where
        the head, or what a body is wrapped in, is too large."""
        self._wire_bytes_left -= size
        if self._wire_bytes_left < 0:
            part = "headers" if self.is_head_awaited else "chunks"
            raise ConnectorError(f"{self.host} answers with {part} that are too large", permanent=True)

    def end_head(self) -> None:
        """All that is noted from now on belongs to the body."""
        self.is_head_awaited = False
        most_bytes = self.most_bytes if self.taker is None else max(self.most_bytes, self.taker.most_bytes)
        self._wire_bytes_left = _MOST_HEAD_BYTES + _MOST_WIRE_BYTES * most_bytes

    def begin(self, status: int, headers: Sequence[Header]) -> Response:
        """Takes the head, and returns it. Raises ConnectorError where it declares a body that is too large."""
        self.head = _response(status, headers)
        self.is_taken = self.taker is not None and self.taker.wants(self.head)
        declared = self.head.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._limit:
            raise ConnectorError(f"{self.host} answers {declared} bytes; the limit is {self._limit}", permanent=True)
        if self.taker is not None and self.is_taken:
            self.taker.begin()
        return self.head

    def add(self, piece: bytes) -> None:
        """Takes a piece of the body, decompressed. Blocks only where the body is taken. Raises ConnectorError where it
        becomes too large, or finds no memory."""
        self._size += len(piece)
        if self._size > self._limit:
            raise ConnectorError(f"{self.host} answers more than {self._limit} bytes", permanent=True)
        if self.taker is not None and self.is_taken:
            self.memory.hold_answer(min(self._size, self.taker.most_held))
            self.taker.add(piece)
        else:
            self.memory.hold_answer(self._size)
            self.pieces.append(piece)

    def whole(self) -> Response:
        """The answer, once all has come; without content where that was taken."""
        return replace(self.head, content=b"".join(self.pieces))

    @property
    def _limit(self) -> int:
        return self.taker.most_bytes if self.taker is not None and self.is_taken else self.most_bytes


def _response(status: int, headers: Sequence[Header]) -> Response:
    texts = [(name.lower(), header_text(value)) for name, value in headers]
    values, repeated = dict(texts), dict[str, list[str]]()
    if len(values) < len(texts):
        repeated = {
            name: several for name in values if len(several := [text for own, text in texts if own == name]) > 1
        }
        values |= {name: ", ".join(several) for name, several in repeated.items()}
    return Response(status, in_stored_order(values), b"", repeated)
