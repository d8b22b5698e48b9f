"""The addresses that connectors may reach: public ones, and the private networks that an operator opened."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Sequence

from flowforge.connectors.errors import ConnectorError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LAST_BITS_ARE_IPV4 = [
    ipaddress.IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # local-use NAT64, RFC 8215
    ipaddress.IPv6Network("::ffff:0:0:0/96"),  # translated, RFC 2765
    ipaddress.IPv6Network("::/96"),  # compatible, RFC 4291
]
_HISTORIC = [ipaddress.IPv6Network("fec0::/10"), ipaddress.IPv6Network("::/8")]


class AddressGuard:
    """Resolves names and refuses what is private. Connect to the address it returns: a second lookup could differ."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = tuple(allowed)

    def resolve(self, host: str, port: int) -> list[tuple[int, str]]:
        """(family, address) pairs in the resolver's order, all of them allowed. Raises ConnectorError."""
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ConnectorError(f"the host {host!r} is not known", permanent=False) from error
        addresses = [(int(family), str(address[0])) for family, _, _, _, address in answers]
        for _, address in addresses:
            if not self.allows(address):
                raise ConnectorError(f"{host} is on a private network; ALLOW_PRIVATE_NETWORKS opens it", permanent=True)
        return addresses

    def allows(self, address: str) -> bool:
        """Whether it is public or in an opened network. Where an IPv6 address wraps an IPv4 one, that counts."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address):
            ip = _embedded_ipv4(ip) or ip
        if ip.is_global and not ip.is_multicast and not _is_historic(ip):
            return True
        return any(ip.version == network.version and ip in network for network in self._allowed)

    def connect(self, host: str, port: int, timeout: float) -> socket.socket:
        """A TCP connection to a checked address, made within `timeout` seconds; then that is its own time-out.

        Addresses share the time, so that a dead one leaves some for the next. Raises ConnectorError or OSError.
        """
        last: OSError | None = None
        until = time.monotonic() + timeout
        addresses = self.resolve(host, port)
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


def _embedded_ipv4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a gateway would go on to; None where there is none."""
    if ip.is_loopback or ip.is_unspecified:
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if any(ip in network for network in _LAST_BITS_ARE_IPV4):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def _is_historic(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Python counts it among the global ones, and no route leads there but a private one."""
    return isinstance(ip, ipaddress.IPv6Address) and any(ip in network for network in _HISTORIC)


EVERYWHERE = AddressGuard([ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")])
"""Refuses nothing: for servers that the operator chose."""
