"""Connections by TLS, where gunicorn was given a certificate (`--certfile`)."""

from __future__ import annotations

import contextlib
import socket
import ssl

from webapp.server.channel import SLOW_READER_SECONDS, Channel


class TlsChannel(Channel):
    """A connection by TLS. Only sending waits, so it holds a thread for no longer than one in clear."""

    can_be_detached = False
    sends_files = False

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(sock)
        self._tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._tls.setblocking(False)
        self._sock = self._tls

    @property
    def holds_bytes(self) -> bool:
        return self._tls.pending() > 0

    def begin(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError as error:
            raise BlockingIOError from error

    def receive(self, most: int) -> bytes:
        try:
            return self._tls.recv(most)
        except ssl.SSLWantReadError as error:
            raise BlockingIOError from error

    def send(self, data: bytes, *, more_follows: bool = False) -> None:
        self._tls.settimeout(SLOW_READER_SECONDS)
        try:
            self._tls.sendall(data)
        finally:
            self._tls.setblocking(False)

    def send_if_possible(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._tls.send(data)
