"""Connections of the event loop: made by the routes, bounded in what they take, kept for a while between requests."""

from __future__ import annotations

import asyncio
import ssl
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from urllib3.util.wait import wait_for_read

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.answer import IncomingAnswer
from flowforge.connectors.http_client.transport import CONNECT_SECONDS
from flowforge.connectors.network.addresses import LookUp
from flowforge.connectors.network.routes import Routes

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest, ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_IDLE_SECONDS = 15.0
_MOST_IDLE = 100
"""Connections of all hosts together that are kept for the next request."""
_HEAD_PIECE_BYTES = 8 * 1024


@dataclass(slots=True)
class Exchange:
    """What a connection is wanted for."""

    answer: IncomingAnswer | None
    """None once it is over: a connection keeps the context in which it was made, and thereby this, as long as it is
    open."""
    look_up: LookUp


current_exchange: ContextVar[Exchange] = ContextVar("exchange")
"""The exchange that the running task is in: aiohttp hands nothing through to where connections are made."""


class GuardedConnector(aiohttp.BaseConnector):
    """Pooled connections, each of them made by the routes: to an address that was checked, by no proxy but ours.

    Requests share one only if their hosts, ports and TLS contexts are the same.
    """

    def __init__(self, routes: Routes) -> None:
        super().__init__(limit=0, keepalive_timeout=_IDLE_SECONDS)
        self._routes = routes

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        exchange, host, port, secure = current_exchange.get(), req.url.raw_host or "", req.url.port or 0, req.is_ssl()
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await self._routes.open(host, port, CONNECT_SECONDS, exchange.look_up, secure=secure)
            try:
                _, reader = await self._loop.create_connection(
                    partial(_AnswerReader, self._loop),
                    sock=connection,
                    ssl=_context_of(req) if secure else None,
                    server_hostname=host.rstrip(".") if secure else None,
                )
            except BaseException:
                connection.close()
                raise
        reader.expect(exchange.answer)
        return reader

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        """A connection that was kept, and on which nothing has come since."""
        while (connection := await super()._get(key, traces)) is not None:
            reader = connection.protocol
            assert isinstance(reader, _AnswerReader)
            if reader.is_silent:
                reader.expect(current_exchange.get().answer)
                return connection
            connection.close()
        return None

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        assert isinstance(protocol, _AnswerReader)
        protocol.expect(None)
        super()._release(key, protocol, should_close=should_close)
        if sum(map(len, self._conns.values())) > _MOST_IDLE:
            self._close_oldest()

    def _close_oldest(self) -> None:
        key = min(self._conns, key=lambda key: self._conns[key][0][1])
        reader, _ = self._conns[key].popleft()
        if not self._conns[key]:
            del self._conns[key]
        reader.close()


class _AnswerReader(ResponseHandler):
    """Takes from a connection the answer that is expected, within its bounds; at anything else the connection ends: the
    next request, perhaps another account's, would get it as its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._answer: IncomingAnswer | None = None

    def expect(self, answer: IncomingAnswer | None) -> None:
        """None: nothing is expected, since the last answer is whole."""
        self._answer = answer

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come after the last answer: neither was read already, nor can be read."""
        return not (self.should_close or self._has_begun_another or _is_readable(self.transport))

    @property
    def _has_begun_another(self) -> bool:
        """Whether the parser has read a part of another answer, at the end of the last one."""
        try:
            return self._parser is not None and self._parser.feed_eof() is not None
        except Exception:  # noqa: BLE001  (of one that cannot be read)
            return True

    def data_received(self, data: bytes) -> None:
        """Until the head is whole, it is read in small pieces: a flood of informational answers ends soon."""
        while self._answer is not None and self._answer.is_head_awaited and len(data) > _HEAD_PIECE_BYTES:
            self._take(data[:_HEAD_PIECE_BYTES])
            data = data[_HEAD_PIECE_BYTES:]
        self._take(data)

    def _take(self, data: bytes) -> None:
        if self._answer is None:
            if data:  # none comes where aiohttp only goes on with what it has
                self.close()
            return
        try:
            self._answer.note(len(data))
        except ConnectorError as error:
            self._fail(error)
        else:
            super().data_received(data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Called with the head of each answer, informational ones among them, as soon as it is whole."""
        head, _ = data
        if self._answer is not None and not 100 <= head.code < 200:
            self._answer.end_head()
        super().feed_data(data, size)

    def _fail(self, error: ConnectorError) -> None:
        body = self._payload
        self.close()
        self.set_exception(error)
        if body is not None:
            body.set_exception(error)

    def close(self) -> None:
        """Ends at once. What was to be sent would be waited for as long as the receiver reads nothing, and so would the
        end of TLS that it does not confirm."""
        self.abort()


def _is_readable(transport: asyncio.Transport | None) -> bool:
    connection = None if transport is None else transport.get_extra_info("socket")
    return connection is None or wait_for_read(connection, timeout=0)


def _context_of(request: ClientRequest) -> ssl.SSLContext:
    assert isinstance(request.ssl, ssl.SSLContext)
    return request.ssl
