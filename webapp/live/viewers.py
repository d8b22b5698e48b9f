"""The viewers of one web process: how many it admits, and who serves their streams."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Protocol

from flowforge.fair_shares import FairShares
from webapp.live.stream import StreamRequest


class ServeStream(Protocol):
    """Send a stream to the connection and close it, then release the viewer's slot. Returns at once."""

    def __call__(self, request: StreamRequest, connection: socket.socket, *, chunked: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class StreamService:
    """The streams of one web process: its viewer slots, and the server of its streams."""

    slots: FairShares
    """One is held, by an account, for each stream that is open."""
    serve: ServeStream
