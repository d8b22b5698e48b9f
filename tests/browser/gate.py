"""A receiver that lets its callers wait until it is opened."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.services.serving import serving

_LONGEST_WAIT_SECONDS = 30


@dataclass(frozen=True)
class Gate:
    url: str
    _opened: threading.Event

    def open(self) -> None:
        self._opened.set()


@contextmanager
def waiting() -> Iterator[Gate]:
    opened = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            opened.wait(_LONGEST_WAIT_SECONDS)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"through": true}')

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with serving(server):
        try:
            yield Gate(f"http://127.0.0.1:{server.server_port}/", opened)
        finally:
            opened.set()
