"""Connections of the event loop: made by the routes, kept for a while between exchanges."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from dataclasses import dataclass
from functools import partial

from flowforge.connectors.http_client.loop_connection import LoopConnection
from flowforge.connectors.http_client.transport import CONNECT_SECONDS
from flowforge.connectors.network.addresses import LookUp
from flowforge.connectors.network.routes import Routes

_IDLE_SECONDS = 15.0
_MOST_IDLE = 100
"""Connections of all hosts together that are kept for the next request."""


@dataclass(frozen=True, slots=True)
class Server:
    """What may share connections: a host and port, and the TLS context by which it is spoken to; None without TLS."""

    host: str
    port: int
    context: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: LoopConnection
    since: float
    """By time.monotonic."""

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.since > _IDLE_SECONDS


class LoopConnections:
    """Each of them is made by the routes: to an address that was checked, by no proxy but ours. Belongs to the event
    loop on which it is used."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._idle: dict[Server, deque[_Idle]] = {}
        """Those that were used last stand last."""
        self._number = 0
        self._sweep: asyncio.TimerHandle | None = None

    def kept(self, server: Server) -> LoopConnection | None:
        """A connection that was kept, and on which nothing has come since."""
        while idle := self._idle.get(server):
            last = self._taken(server, idle, idle.pop())
            if not last.is_old and last.connection.is_silent:
                return last.connection
            last.connection.close()
        return None

    async def open(self, server: Server, look_up: LookUp) -> LoopConnection:
        """A new connection. Raises ConnectorError, OSError."""
        loop, secure = asyncio.get_running_loop(), server.context is not None
        async with asyncio.timeout(CONNECT_SECONDS):
            made = await self._routes.open(server.host, server.port, CONNECT_SECONDS, look_up, secure=secure)
            try:
                _, connection = await loop.create_connection(
                    partial(LoopConnection, loop),
                    sock=made,
                    ssl=server.context,
                    server_hostname=server.host.rstrip(".") if secure else None,
                )
            except BaseException:
                made.close()
                raise
        return connection

    def keep(self, server: Server, connection: LoopConnection) -> None:
        """Takes back a connection on which another exchange may follow."""
        self._idle.setdefault(server, deque()).append(_Idle(connection, time.monotonic()))
        self._number += 1
        if self._number > _MOST_IDLE:
            self._close_oldest()
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._close_old)

    def close(self) -> None:
        """Ends all that are kept."""
        if self._sweep is not None:
            self._sweep.cancel()
        while self._idle:
            self._close_oldest()

    def _close_old(self) -> None:
        self._sweep = None
        while self._idle and self._oldest()[1].is_old:
            self._close_oldest()
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(_IDLE_SECONDS / 3, self._close_old)

    def _close_oldest(self) -> None:
        server, _ = self._oldest()
        idle = self._idle[server]
        self._taken(server, idle, idle.popleft()).connection.close()

    def _oldest(self) -> tuple[Server, _Idle]:
        server = min(self._idle, key=lambda server: self._idle[server][0].since)
        return server, self._idle[server][0]

    def _taken(self, server: Server, idle: deque[_Idle], one: _Idle) -> _Idle:
        self._number -= 1
        if not idle:
            del self._idle[server]
        return one
