"""A response that goes on without the thread that began it.

The server sends the head and the first bytes; then the connection is handed over, and the thread is free. Servers other
than ours (webapp.server.worker) can't do that: there a thread passes the bytes on.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar

possible: ContextVar[bool] = ContextVar("handing_over_possible", default=False)
"""Whether the server of the present request can hand its connection over."""

Take = Callable[[socket.socket], None]


class HandedOver(OSError):
    """The connection belongs to `take` now: the server calls it, and forgets the connection.

    An OSError, because that is what gunicorn passes through without an answer of its own.
    """

    def __init__(self, take: Take) -> None:
        super().__init__("the connection is handed over")
        self.take = take


class Body:
    """`first`, then what is sent by whoever `take` gives the connection to. If nobody gets it, `abandon` is called."""

    def __init__(self, first: bytes, take: Take, abandon: Callable[[], None]) -> None:
        self._take = take
        self._abandon: Callable[[], None] | None = abandon
        self._parts = self._handed_over(first) if possible.get() else self._passed_on(first)

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        self._parts.close()
        if self._abandon is not None:
            self._abandon()
            self._abandon = None

    def _handed_over(self, first: bytes) -> Generator[bytes, None, None]:
        yield first
        self._abandon = None
        raise HandedOver(self._take)

    def _passed_on(self, first: bytes) -> Generator[bytes, None, None]:
        yield first
        ours, theirs = socket.socketpair()
        self._abandon = None
        self._take(theirs)
        with ours:
            while part := ours.recv(65536):
                yield part
