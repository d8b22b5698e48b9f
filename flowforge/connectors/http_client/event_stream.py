"""Server-sent events of an answer, read while they come.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import IncrementalNewlineDecoder, StringIO

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.response import Response
from flowforge.media_types import media_type_of

_LONGEST_LINE = 4 * 1024 * 1024
"""Characters."""


class EventStream:
    """Takes the body of an answer that is an event stream: `on_data` is called with the data of each event."""

    most_bytes = 64 * 1024 * 1024
    """The most that a body may have: far more than its text, since each event repeats what surrounds it."""
    most_held = _LONGEST_LINE
    """The most bytes of a body that it holds in memory."""

    def __init__(self, on_data: Callable[[str], None]) -> None:
        self._on_data = on_data
        self._reader = EventReader()
        self.is_taken = False
        """Whether the answer was an event stream."""

    def wants(self, response: Response) -> bool:
        return response.ok and media_type_of(response.headers.get("content-type", "")) == "text/event-stream"

    def begin(self) -> None:
        """Its body comes now."""
        self.is_taken = True

    def add(self, piece: bytes) -> None:
        """Raises ConnectorError, as does what it calls."""
        for data in self._reader.read(piece):
            self._on_data(data)

    def close(self) -> None:
        """Lets go of nothing: it keeps nothing."""


class EventReader:
    """Finds the events in an event stream that comes in pieces."""

    def __init__(self) -> None:
        self._lines = _LineReader()
        self._data: list[str] = []

    def read(self, piece: bytes) -> Iterator[str]:
        """The data of each event that is whole by now. Raises ConnectorError for a line without end."""
        for line in self._lines.read(piece):
            name, _, value = line.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            elif not line and self._data:
                yield "\n".join(self._data)
                self._data = []


@dataclass(slots=True)
class _LineReader:
    """Finds the lines that are whole, whichever of the three line ends they have."""

    _decoder: IncrementalNewlineDecoder = field(
        default_factory=lambda: IncrementalNewlineDecoder(getincrementaldecoder("utf-8-sig")("replace"), translate=True)
    )
    _begun: StringIO = field(default_factory=StringIO)
    _length: int = 0

    def read(self, piece: bytes) -> Iterator[str]:
        first, *others = self._decoder.decode(piece).split("\n")
        self._length += self._begun.write(first)
        for text in others:
            yield self._begun.getvalue()
            self._begun = StringIO()
            self._length = self._begun.write(text)
        _require_length(self._length)


def _require_length(characters: int) -> None:
    if characters > _LONGEST_LINE:
        raise ConnectorError(
            f"an event of the answer has a line of more than {_LONGEST_LINE} characters", permanent=True
        )
