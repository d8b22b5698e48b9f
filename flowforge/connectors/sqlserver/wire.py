"""A connection as the driver of SQL Server sees it: encrypted once both agree on that, over at a time, and bounded.

https://learn.microsoft.com/openspecs/windows_protocols/ms-tds/
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

_PIECE_BYTES = 65_536
_RESET = 0x08
"""RESETCONNECTION (2.2.3.1.2): the server begins a new session, as sp_reset_connection does."""
_ATTENTION = bytes([6, 1, 0, 8, 0, 0, 0, 0])
"""2.2.1.7: the server ends what it is doing."""

Exchange = Callable[[bytes], bytes]
"""Sends a part of a TLS handshake, and returns the server's."""


class TooMuchError(ValueError):
    """The server sends more than one row may have."""


class Wire:
    """In the place of a socket (`pytds.tds_base.TransportProtocol`)."""

    def __init__(self, plain: socket.socket, most_bytes: int) -> None:
        self._plain = plain
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._most_bytes = self._room = most_bytes
        self._is_over = False
        self.until: float | None = None
        """The time (of time.monotonic) at which the server is told to end; None: the connection is cut at some time."""
        self.resets = False
        """Whether the next request begins a new session."""

    def encrypt(self, context: ssl.SSLContext, host: str, exchange: Exchange) -> None:
        """TLS from now on; its handshake goes through messages of the protocol. Raises ssl.SSLError."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._incoming.write(exchange(self._outgoing.read()))
        self._tls = tls
        self._send_encrypted()

    def make_room(self) -> None:
        """The server may send as much again as a row may have."""
        self._room = self._most_bytes

    def sendall(self, data: bytes | bytearray, flags: int = 0) -> None:
        if self._is_over:
            return
        if self.resets:
            self.resets, data = False, data[:1] + bytes([data[1] | _RESET]) + data[2:]
        if self._tls is None:
            self._plain.sendall(data)
        else:
            self._tls.write(data)
            self._send_encrypted()

    def recv(self, size: int, flags: int = 0) -> bytes:
        received = self._received(size)
        self._room -= len(received)
        if self._room < 0:
            raise TooMuchError(f"a row has more than {self._most_bytes} bytes")
        return received

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, flags: int = 0) -> int:
        received = self.recv(min(size or len(buffer), len(buffer)))
        buffer[: len(received)] = received
        return len(received)

    def gettimeout(self) -> float | None:
        return None

    def settimeout(self, timeout: float | None) -> None:
        """Nothing: `until` says it."""

    def fileno(self) -> int:
        return self._plain.fileno()

    def close(self) -> None:
        self._plain.close()

    def _received(self, size: int) -> bytes:
        if self._tls is None:
            return self._read(size)
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                piece = self._read(_PIECE_BYTES)
                if not piece:
                    return b""
                self._incoming.write(piece)

    def _read(self, size: int) -> bytes:
        """Raises TimeoutError, once the server was told to end: what it answers then is not read any more."""
        if self._is_over:
            raise TimeoutError
        left = None if self.until is None else max(0.001, self.until - time.monotonic())
        try:
            self._plain.settimeout(left)
            return self._plain.recv(size)
        except TimeoutError:
            self._plain.settimeout(1.0)
            self.sendall(_ATTENTION)
            self._is_over = True
            raise

    def _send_encrypted(self) -> None:
        if data := self._outgoing.read():
            self._plain.sendall(data)
