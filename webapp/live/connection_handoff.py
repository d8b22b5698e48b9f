"""A streamed response that goes on without the thread that began it.

The server sends the head and the first bytes, then hands the connection off, and the thread is free. Our own server can
do that (webapp.server.server); under any other one a thread passes the bytes on.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterator

CAN_HAND_OFF = "flowforge.can_hand_off"
"""Key in a request's WSGI environment: whether its server can hand the connection off."""

TakeConnection = Callable[[socket.socket], None]


class HandedOff(Exception):
    """Raised by a response's body: the connection belongs to `take`, to which the server gives it."""

    def __init__(self, take: TakeConnection) -> None:
        super().__init__("the connection is handed off")
        self.take = take


class StreamBody:
    """A WSGI body: `first`, then what is written to the connection that `take` gets.

    If the response ends before that, `abandon` is called instead of `take`.
    """

    def __init__(self, first: bytes, take: TakeConnection, abandon: Callable[[], None], *, can_hand_off: bool) -> None:
        self._take = take
        self._abandon: Callable[[], None] | None = abandon
        self._parts = self._hand_off_after(first) if can_hand_off else self._relay_after(first)

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        """Called by the server at the end of the response (PEP 3333)."""
        self._parts.close()
        if self._abandon is not None:
            self._abandon()
            self._abandon = None

    def _hand_off_after(self, first: bytes) -> Generator[bytes, None, None]:
        yield first
        self._abandon = None
        raise HandedOff(self._take)

    def _relay_after(self, first: bytes) -> Generator[bytes, None, None]:
        yield first
        ours, theirs = socket.socketpair()
        self._abandon = None
        self._take(theirs)
        with ours:
            while part := ours.recv(65536):
                yield part
