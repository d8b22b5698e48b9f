"""The viewers of one web process: how many it admits, and who serves their streams."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import Protocol

from flowforge.errors import Unavailable
from webapp.live.stream import StreamRequest


class ViewerSlots:
    """A bound on the streams that one web process holds open. Safe between threads."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def take(self) -> None:
        """Raises Unavailable when all are taken."""
        if not self._free.acquire(blocking=False):
            raise Unavailable("too many people are watching; try again in a moment")

    def release(self) -> None:
        """Give back a slot that was taken."""
        self._free.release()


class ServeStream(Protocol):
    """Send a stream to the connection and close it, then release the viewer's slot. Returns at once."""

    def __call__(self, request: StreamRequest, connection: socket.socket, *, chunked: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class StreamService:
    """The streams of one web process: its viewer slots, and the server of its streams."""

    slots: ViewerSlots
    serve: ServeStream
