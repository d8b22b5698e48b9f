"""The way to a host: straight there, or through the proxy. Both are held to the guard's rules."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from flowforge.connectors.network.addresses import AddressGuard, LookUp
from flowforge.connectors.network.proxy import NOWHERE, Proxy, ProxyBypass
from flowforge.connectors.network.service_ports import require_port

Watching = Callable[[socket.socket], None]
"""Called with a connection as soon as there is one, so that it can be cut."""


@dataclass(frozen=True, slots=True)
class Routes:
    guard: AddressGuard
    proxy: Proxy | None = None
    """Leads to what is called by https."""
    bypass: ProxyBypass = NOWHERE

    def connect(self, host: str, port: int, timeout: float, watch: Watching, *, secure: bool) -> socket.socket:
        """A connection to an allowed address of the host, made within `timeout` seconds. Raises ConnectorError or
        OSError."""
        if self.proxy is None or self._is_direct(host, port, secure=secure):
            connection = self.guard.connect(host, port, timeout)
            watch(connection)
            return connection
        return self._connect_through(self.proxy, host, port, timeout, watch)

    async def open(self, host: str, port: int, timeout: float, look_up: LookUp, *, secure: bool) -> socket.socket:
        """`connect` on an event loop: a connection that does not block."""
        if self._is_direct(host, port, secure=secure):
            return await self.guard.open(host, port, timeout, look_up)
        assert self.proxy is not None
        _, address = (await look_up(self.guard, host, port))[0]
        require_port(port, frozenset())
        connection = await self.guard.for_proxy.open(self.proxy.host, self.proxy.port, timeout, look_up)
        try:
            await self.proxy.open_tunnel_on_loop(connection, address, port)
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_direct(self, host: str, port: int, *, secure: bool) -> bool:
        return self.proxy is None or not secure or self.bypass.includes(host, port)

    def _connect_through(self, proxy: Proxy, host: str, port: int, timeout: float, watch: Watching) -> socket.socket:
        until = time.monotonic() + timeout
        _, address = self.guard.resolve(host, port)[0]
        require_port(port, frozenset())
        connection = self.guard.for_proxy.connect(proxy.host, proxy.port, timeout)
        watch(connection)
        try:
            connection.settimeout(max(0.001, until - time.monotonic()))
            proxy.open_tunnel(connection, address, port)
            connection.settimeout(timeout)
        except BaseException:
            connection.close()
            raise
        return connection
