"""Our HTTP server in this process, around any WSGI application, and what it sends, byte by byte."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webapp.server.request_buffer import ReceiveLimits
from webapp.server.server import Server, ServerSettings

WITHIN_SECONDS = 20
SETTINGS = ServerSettings(
    threads=4,
    connections=100,
    idle_seconds=WITHIN_SECONDS,
    receive=ReceiveLimits(WITHIN_SECONDS, 2 * WITHIN_SECONDS, body_bytes=1024 * 1024),
)
_HEAD = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n")

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is running."""

    server: Server
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WITHIN_SECONDS)

    def exchange(self, *sent: bytes) -> bytes:
        """All that is answered to these pieces, until the server closes."""
        with self.connect() as connection:
            for piece in sent:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            return everything(connection)


@contextmanager
def serving(application: WSGIApplication, **changed: Any) -> Iterator[Running]:
    """A server with these settings, swept as in a worker."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(application, [listener], replace(SETTINGS, **changed))
        server.start()
        ended = threading.Event()
        sweeper = threading.Thread(target=_sweep, args=(server, ended))
        sweeper.start()
        try:
            yield Running(server, listener.getsockname()[1])
        finally:
            ended.set()
            sweeper.join()
            server.drain()
            server.end()


def _sweep(server: Server, ended: threading.Event) -> None:
    while not ended.wait(0.05):
        server.sweep()


def everything(connection: socket.socket | ssl.SSLSocket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def statuses(received: bytes) -> list[int]:
    return [int(head[1]) for head in _HEAD.finditer(received)]


def response(
    *parts: bytes,
    status: str = "200 OK",
    headers: Headers | None = None,
    note: Callable[[WSGIEnvironment], object] = id,
) -> WSGIApplication:
    """An application that answers this, and notes what it is asked."""
    sent = [("Content-Length", str(sum(map(len, parts))))] if headers is None else headers

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        note(environ)
        start_response(status, sent)
        return list(parts)

    return application
