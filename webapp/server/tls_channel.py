"""Connections by TLS, where gunicorn was given a certificate (`--certfile`)."""

from __future__ import annotations

import socket
import ssl

from webapp.server.channel import Channel
from webapp.server.slow_readers import SlowReaders


class TlsChannel(Channel):
    """A connection by TLS. Only sending waits, so it holds a thread for no longer than one in clear."""

    can_be_detached = False
    sends_files = False

    def __init__(self, sock: socket.socket, slow_readers: SlowReaders, context: ssl.SSLContext) -> None:
        super().__init__(sock, slow_readers)
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

    def _send_some(self, data: bytes | memoryview, *, more_follows: bool = False) -> int:
        try:
            return self._tls.send(data)
        except ssl.SSLWantWriteError as error:
            raise BlockingIOError from error
