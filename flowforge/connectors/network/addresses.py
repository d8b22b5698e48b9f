"""The addresses that connectors may reach: public ones, and the private networks that an operator opened."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.network.host_patterns import EVERY_HOST, HostPatterns
from flowforge.connectors.network.public_addresses import is_public, unwrapped
from flowforge.connectors.network.service_ports import require_port

logger = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Addresses = Sequence[tuple[int, str]]
"""(family, address) pairs."""
_NO_PORTS: frozenset[int] = frozenset()


class AddressGuard:
    """Resolves names and refuses what is private. Connect to the address it returns: a second lookup could differ."""

    def __init__(self, allowed: Sequence[Network], hosts: HostPatterns = EVERY_HOST) -> None:
        self._allowed = tuple(allowed)
        self._hosts = hosts

    @cached_property
    def for_proxy(self) -> AddressGuard:
        """The guard of the way to a proxy: its address is held to the same rules, but it need not be a host that steps
        may call."""
        return AddressGuard(self._allowed)

    def resolve(self, host: str, port: int) -> Addresses:
        """Those of a host in the resolver's order, all of them allowed. Raises ConnectorError.

        A name that nobody knows and one on a private network are answered alike: nobody maps the operator's network
        by trying names.
        """
        if not self._hosts.allow(host):
            raise ConnectorError(f"{host} is not among the hosts that this instance may call (EGRESS_HOSTS)", True)
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise _unreachable(host, may_pass=_may_pass(error)) from None
        addresses = [(int(family), str(address[0])) for family, _, _, _, address in answers]
        for _, address in addresses:
            if not self.allows(address):
                logger.info("A call to %s was refused: ALLOW_PRIVATE_NETWORKS does not open its address", host)
                raise _unreachable(host, may_pass=False)
        return addresses

    def allows(self, address: str) -> bool:
        """Whether it is public or in an opened network. Where an IPv6 address wraps an IPv4 one, that counts."""
        if is_public(address):
            return True
        ip = unwrapped(address)
        return any(ip.version == network.version and ip in network for network in self._allowed)

    def connect(self, host: str, port: int, timeout: float, own_ports: frozenset[int] = _NO_PORTS) -> socket.socket:
        """A TCP connection to a checked address, made within `timeout` seconds; then that is its own time-out.

        Addresses share the time, so that a dead one leaves some for the next. `own_ports`: those of the services that
        the caller speaks to, among all that belong to some service. Raises ConnectorError or OSError.
        """
        last: OSError | None = None
        until = time.monotonic() + timeout
        addresses = self.resolve(host, port)
        require_port(port, own_ports)
        for failed, (family, address) in enumerate(addresses):
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.settimeout(max(0.001, (until - time.monotonic()) / (len(addresses) - failed)))
            try:
                connection.connect((address, port))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(timeout)
                return connection
            except OSError as error:
                connection.close()
                last = error
        raise last or OSError(f"no address for {host}")

    async def open(self, host: str, port: int, timeout: float, look_up: LookUp) -> socket.socket:
        """`connect` on an event loop: a connection that does not block."""
        last: OSError | None = None
        until = time.monotonic() + timeout
        addresses = await look_up(self, host, port)
        require_port(port, _NO_PORTS)
        for failed, (family, address) in enumerate(addresses):
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                async with asyncio.timeout((until - time.monotonic()) / (len(addresses) - failed)):
                    await asyncio.get_running_loop().sock_connect(connection, (address, port))
                return connection
            except OSError as error:
                connection.close()
                last = error
            except BaseException:
                connection.close()
                raise
        raise last or OSError(f"no address for {host}")


LookUp = Callable[[AddressGuard, str, int], Awaitable[Addresses]]
"""`resolve` of a guard on an event loop, for a host and port. Raises ConnectorError."""


def _may_pass(error: Exception) -> bool:
    """Whether the name server could not tell, rather than that there is no such name."""
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN


def _unreachable(host: str, *, may_pass: bool) -> ConnectorError:
    return ConnectorError(
        f"the host {host!r} is not known, or is on a private network (ALLOW_PRIVATE_NETWORKS opens those)",
        permanent=not may_pass,
    )


EVERYWHERE = AddressGuard([ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")])
"""Refuses nothing: for servers that the operator chose."""
