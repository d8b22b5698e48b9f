"""Cuts connections at their deadline, whatever they are doing.

A socket's own time-out starts again with every byte: a peer that drips one a second never meets it. One thread per
process watches all exchanges that are under way.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Watch:
    """The connections of one exchange. Changed under the lock of its Deadlines only."""

    __slots__ = ("_lock", "_sockets", "deadline", "has_cut")

    def __init__(self, deadline: float, lock: threading.Condition) -> None:
        self.deadline = deadline
        self.has_cut = False
        self._lock = lock
        self._sockets: list[socket.socket] = []

    def add(self, connection: socket.socket) -> None:
        """Takes the connection under watch; at once when it is new, so that a TLS handshake is watched, too."""
        # A descriptor of its own: wrapping the socket for TLS takes the other one away from the object passed here.
        own = socket.fromfd(connection.fileno(), connection.family, connection.type)
        with self._lock:
            self._sockets.append(own)
            if self.has_cut:
                _shut(own)

    def cut(self) -> None:
        self.has_cut = True
        for connection in self._sockets:
            _shut(connection)

    def forget(self) -> None:
        for connection in self._sockets:
            connection.close()
        self._sockets.clear()


class Deadlines:
    """Safe to share between threads. Deadlines are those of time.monotonic."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: set[Watch] = set()
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def watch(self, deadline: float) -> Iterator[Watch]:
        """The connections added to it are cut at the deadline, unless the block has ended by then."""
        watch = Watch(deadline, self._changed)
        with self._changed:
            self._under_way.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif deadline < self._wakes_at:
                self._changed.notify()
        try:
            yield watch
        finally:
            with self._changed:
                self._under_way.discard(watch)
                watch.forget()

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                waiting = [watch for watch in self._under_way if not watch.has_cut]
                for watch in waiting:
                    if watch.deadline <= now:
                        watch.cut()
                self._wakes_at = min((watch.deadline for watch in waiting if not watch.has_cut), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the peer was faster
        connection.shutdown(socket.SHUT_RDWR)
