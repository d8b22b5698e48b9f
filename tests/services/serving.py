"""Servers in threads: those of Python's own (`socketserver`, `http.server`, Werkzeug's), bare sockets, and JSON over
HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Any

_LOOKS_EVERY_SECONDS = 0.05
"""After so many, it sees that it shall end."""


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Serves while the block runs, and closes the server."""
    thread = threading.Thread(target=server.serve_forever, args=(_LOOKS_EVERY_SECONDS,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def accepting(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """Hands each client to `serve`, in a thread of its own, while the block runs; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, serve), daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, serve: Callable[[socket.socket], object]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()


class JsonServer(ThreadingHTTPServer):
    """A server on loopback, each of whose exchanges is one of `exchange`."""

    daemon_threads = True

    def __init__(self, exchange: type[JsonExchange]) -> None:
        super().__init__(("127.0.0.1", 0), exchange)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class JsonExchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""
