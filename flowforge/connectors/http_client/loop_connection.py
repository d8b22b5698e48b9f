"""A connection of the event loop to a receiver, by HTTP/1.1 (RFC 9112): one exchange after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from urllib3.util.wait import wait_for_read

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.answer import MOST_HEADERS, Header, IncomingAnswer
from flowforge.connectors.http_client.decoding import is_encoded

_HEAD_PIECE_BYTES = 8 * 1024
_MOST_WAITING_BYTES = 128 * 1024
"""Of a body that comes faster than it is taken."""


class LoopConnection(asyncio.Protocol):
    """Takes from the connection the answer that is expected, within its bounds; at anything else the connection ends:
    the next request, perhaps another account's, would get it as its answer.

    The body goes into the answer as it comes. One that is taken in threads, or has to be decompressed, waits in pieces
    for whoever is in the exchange, and the receiver with it.
    """

    __slots__ = (
        "_answer",
        "_drained",
        "_error",
        "_headers",
        "_is_closed",
        "_is_paused",
        "_is_whole",
        "_keeps_alive",
        "_lasts_until_end",
        "_loop",
        "_method",
        "_news",
        "_parser",
        "_pieces",
        "_transport",
        "_waiting_bytes",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._is_closed = False
        self._drained: asyncio.Future[None] | None = None
        self._forget()

    def _forget(self) -> None:
        """Nothing is expected."""
        self._answer: IncomingAnswer | None = None
        self._method = ""
        self._parser: HttpResponseParser | None = None
        self._headers: list[Header] = []
        self._pieces: list[bytes] | None = None
        self._waiting_bytes = 0
        self._is_paused = False
        self._news: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._is_whole = False
        self._keeps_alive = False
        self._lasts_until_end = False

    # For whoever is in an exchange

    def send(self, method: str, head: bytes, answer: IncomingAnswer) -> None:
        """Sends the head of a request, with its body where that is small, and expects the answer. Raises OSError."""
        if self._is_closed or self._transport is None:
            raise ConnectionResetError
        self._answer, self._method = answer, method
        self._transport.write(head)

    async def write(self, piece: bytes) -> None:
        """Sends a piece of the body, once there is room for it. Raises OSError."""
        while self._drained is not None and not self._is_closed:
            await self._drained
        if self._is_closed or self._transport is None:
            raise ConnectionResetError
        self._transport.write(piece)

    async def pieces(self) -> Sequence[bytes]:
        """The pieces of the body that have yet to be taken, once there are some; none when the answer is whole. Raises
        what keeps it from coming."""
        if not (self._pieces or self._is_whole or self._error):
            self._news = self._loop.create_future()
            await self._news
        if self._error is not None:
            raise self._error
        return self._take_pieces()

    def end_exchange(self) -> bool:
        """Expects nothing more; returns whether another exchange may follow."""
        goes_on = self._is_whole and self._keeps_alive and not self._is_closed
        self._forget()
        return goes_on

    def fail(self, error: Exception) -> None:
        """Ends the exchange with the error, and the connection."""
        if not self._is_whole and self._error is None:
            self._error = error
            self._tell()
        self.close()

    def end_late(self) -> None:
        """Ends the exchange, and the connection, since there is no time left."""
        self.fail(TimeoutError())

    def close(self) -> None:
        """Ends at once. What was to be sent would be waited for as long as the receiver reads nothing, and so would the
        end of TLS that it does not confirm."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_silent(self) -> bool:
        """Whether it is open, and nothing has come since the last answer: nothing was read, nor can be read."""
        return not (self._is_closed or self._transport is None or _is_readable(self._transport))

    # For the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Until the head is whole, it is read in small pieces: a flood of informational answers ends soon."""
        while self._answer is not None and self._answer.is_head_awaited and len(data) > _HEAD_PIECE_BYTES:
            self._take(data[:_HEAD_PIECE_BYTES])
            data = data[_HEAD_PIECE_BYTES:]
        self._take(data)

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def connection_lost(self, error: Exception | None) -> None:
        self._is_closed = True
        self._transport = None
        self.resume_writing()
        if self._answer is None or self._is_whole:
            return
        if self._lasts_until_end and error is None:
            self._end()
        else:
            self.fail(error or ConnectionResetError())

    def _take_pieces(self) -> Sequence[bytes]:
        if not self._pieces:
            return ()
        pieces, self._pieces, self._waiting_bytes = self._pieces, [], 0
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return pieces

    def _take(self, data: bytes) -> None:
        if self._answer is None or self._is_whole:
            self.close()
            return
        if self._error is not None:
            return
        if self._parser is None:
            self._parser = _parser(self)
        try:
            self._answer.note(len(data))
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._keeps_alive = False
        except (HttpParserError, ConnectorError) as error:
            self.fail(error)

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _end(self) -> None:
        self._is_whole = True
        self._parser = None
        self._tell()

    # For the parser

    def on_message_begin(self) -> None:
        if self._is_whole:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Those after a body say nothing that anybody reads."""
        if self._answer is None or not self._answer.is_head_awaited:
            return
        if len(self._headers) == MOST_HEADERS:
            raise ValueError("too many headers")
        self._headers.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))

    def on_headers_complete(self) -> None:
        assert self._answer is not None
        assert self._parser is not None
        headers, self._headers, status = self._headers, [], self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            return
        self._answer.end_head()
        response = self._answer.begin(status, headers)
        if self._answer.is_taken or is_encoded(response):
            self._pieces = []
        self._lasts_until_end = _lasts_until_end(response.headers)
        if self._method == "HEAD":
            self._end()

    def on_body(self, piece: bytes) -> None:
        if self._is_whole or self._answer is None:
            self.close()
        elif self._pieces is None:
            self._answer.add(piece)
        else:
            self._pieces.append(piece)
            self._waiting_bytes += len(piece)
            self._tell()
            if self._waiting_bytes > _MOST_WAITING_BYTES and not self._is_paused and self._transport is not None:
                self._is_paused = True
                self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._answer is None or self._answer.is_head_awaited or self._is_whole:
            return
        assert self._parser is not None
        self._keeps_alive = self._parser.should_keep_alive()
        self._end()


def _parser(connection: LoopConnection) -> HttpResponseParser:
    """It takes what servers are known to send: control characters in headers, lines without a carriage return, blanks
    after the size of a chunk. None of these leaves any doubt where an answer ends."""
    parser = HttpResponseParser(connection)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser


def _lasts_until_end(headers: Mapping[str, str]) -> bool:
    """Whether a body, if there is one, ends with the connection (RFC 9112, 6.3)."""
    coding = headers.get("transfer-encoding", "")
    return not coding.lower().endswith("chunked") if coding else "content-length" not in headers


def _is_readable(transport: asyncio.Transport) -> bool:
    connection = transport.get_extra_info("socket")
    return connection is None or wait_for_read(connection, timeout=0)
