"""The proxy that leads to the outside, where an operator names one.

It is asked for a tunnel (CONNECT, RFC 9110, 9.3.6) to the very address that the guard has looked up and allowed: a
proxy that looks names up by itself could be led anywhere. So it sees addresses, not names.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from flowforge.connectors.errors import ConnectorError

_LONGEST_HEAD = 16 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_USUAL_PORT = 3128
_PIECE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Proxy:
    host: str
    port: int
    authorization: str = ""
    """The value of Proxy-Authorization; empty: none is sent."""

    @classmethod
    def read(cls, url: str) -> Proxy:
        """Read `http://user:password@proxy.example:3128`, as the settings hold it."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or _USUAL_PORT, _basic(parts.username, parts.password))

    def open_tunnel(self, connection: socket.socket, address: str, port: int) -> None:
        """Make the connection to the proxy one to the address. Raises ConnectorError, OSError."""
        connection.sendall(self._request(address, port))
        head = b""
        while not _is_whole(head):
            head = _continued(head, connection.recv(_PIECE_BYTES))
        _require_tunnel(head)

    async def open_tunnel_on_loop(self, connection: socket.socket, address: str, port: int) -> None:
        """The same for a connection that does not block."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, self._request(address, port))
        head = b""
        while not _is_whole(head):
            head = _continued(head, await loop.sock_recv(connection, _PIECE_BYTES))
        _require_tunnel(head)

    def _request(self, address: str, port: int) -> bytes:
        target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        lines += [f"Proxy-Authorization: {self.authorization}"] if self.authorization else []
        return "\r\n".join([*lines, "", ""]).encode("ascii")


@dataclass(frozen=True, slots=True)
class ProxyBypass:
    """The hosts that are called directly, as `NO_PROXY` lists them in most programs: `example.com` and all names below
    it, addresses and networks, each with a port or without; `*` stands for all."""

    patterns: Sequence[str]

    def includes(self, host: str, port: int) -> bool:
        name = host.strip("[]").rstrip(".").lower()
        return any(_matches(pattern.lower(), name, port) for pattern in self.patterns)


NOWHERE = ProxyBypass(())


def _matches(pattern: str, name: str, port: int) -> bool:
    if pattern == "*" or _is_in_network(pattern.strip("[]"), name):
        return True
    host, colon, only = pattern.rpartition(":")
    if colon and only.isdecimal():
        return int(only) == port and _matches(host.strip("[]"), name, port)
    domain = pattern.removeprefix("*").removeprefix(".")
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


def _is_in_network(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _basic(user: str | None, password: str | None) -> str:
    if not user:
        return ""
    return "Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode()


def _is_whole(head: bytes) -> bool:
    """Whether the head of the answer has come. Nothing follows it: the other end of the tunnel waits until it is spoken
    to."""
    return _END_OF_HEAD in head


def _continued(head: bytes, piece: bytes) -> bytes:
    if not piece or len(head) > _LONGEST_HEAD:
        raise ConnectorError("the proxy gives no answer that can be read", permanent=False)
    return head + piece


def _require_tunnel(head: bytes) -> None:
    status = _status(head)
    if not 200 <= status < 300:
        raise ConnectorError(f"the proxy refuses the connection: it answered {status}", 400 <= status < 500)


def _status(head: bytes) -> int:
    parts = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
        raise ConnectorError("the proxy gives no answer that can be read", permanent=False)
    return int(parts[1])
