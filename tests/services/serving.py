"""Servers of Python's own (`socketserver`, `http.server`, Werkzeug's) in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer

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
