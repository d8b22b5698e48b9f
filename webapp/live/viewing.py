"""How a stream is given away by whoever answered its request: the places of one web process, and who serves them."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import Protocol

from flowforge.errors import Unavailable
from webapp.live.stream import Asked


class Places:
    """Bounds the viewers of one web process. Safe between threads."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def take(self) -> None:
        """Raises Unavailable when all are taken."""
        if not self._free.acquire(blocking=False):
            raise Unavailable("too many people are watching; try again in a moment")

    def give_back(self) -> None:
        self._free.release()


class Serve(Protocol):
    """Sends the stream to the connection and closes it; then the viewer's place is free. Returns at once."""

    def __call__(self, asked: Asked, connection: socket.socket, *, chunked: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Viewing:
    places: Places
    serve: Serve
