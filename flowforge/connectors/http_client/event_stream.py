"""Server-sent events of an answer, read while they come.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
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

    def __init__(self, on_data: Callable[[str], None]) -> None:
        self._on_data = on_data
        self.is_taken = False
        """Whether the answer was an event stream."""

    def wants(self, response: Response) -> bool:
        return response.ok and media_type_of(response.headers.get("content-type", "")) == "text/event-stream"

    def take(self, pieces: Iterator[bytes]) -> None:
        """Raises ConnectorError, as does what it calls."""
        self.is_taken = True
        for data in events_in(pieces):
            self._on_data(data)

    def close(self) -> None:
        """Lets go of nothing: it keeps nothing."""


def events_in(pieces: Iterator[bytes]) -> Iterator[str]:
    """The data of each event that is whole. Raises ConnectorError for a line without end."""
    data: list[str] = []
    for line in _lines(pieces):
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data = []


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    """The lines that are whole, whichever of the three line ends they have."""
    decoder = IncrementalNewlineDecoder(getincrementaldecoder("utf-8-sig")("replace"), translate=True)
    begun, length = StringIO(), 0
    for piece in pieces:
        first, *others = decoder.decode(piece).split("\n")
        length += begun.write(first)
        for text in others:
            yield begun.getvalue()
            begun = StringIO()
            length = begun.write(text)
        _require_length(length)


def _require_length(characters: int) -> None:
    if characters > _LONGEST_LINE:
        raise ConnectorError(
            f"an event of the answer has a line of more than {_LONGEST_LINE} characters", permanent=True
        )
