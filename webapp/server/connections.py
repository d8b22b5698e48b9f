"""The open connections of a server. One that waits for its other side belongs to the thread that takes it first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from webapp.server.connection import Connection
from webapp.server.poller import Poller


class Connections:
    """A thread that was told of a descriptor and one that looks for late senders may want the same connection at the
    same time; the connection's lock decides, so that a descriptor that was closed and given anew misleads nobody.
    """

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._open: dict[int, Connection] = {}
        self._counting = threading.Lock()
        self.in_memory = self.in_file = 0
        """Bytes of unfinished requests that wait."""

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """Note a new connection, which the caller has."""
        self._open[connection.descriptor] = connection

    def wait(self, connection: Connection) -> None:
        """Have a connection wait; from now on others may take it."""
        self._count(connection, 1)
        was_watched, connection.is_watched = connection.is_watched, True
        connection.taken.release()
        with suppress(OSError):  # it was taken and closed before it could be watched
            self._poller.watch(connection.descriptor, anew=was_watched)

    def take(self, descriptor: int) -> Connection | None:
        """None where it does not wait any more."""
        connection = self._open.get(descriptor)
        return connection if connection is not None and self._takes(connection) else None

    def take_late(self, now: float) -> list[Connection]:
        """Those whose deadline has come."""
        return self._take_if(lambda connection: connection.deadline <= now)

    def take_idle(self) -> list[Connection]:
        """Those of which nothing of a request has come."""
        return self._take_if(lambda connection: connection.is_idle)

    def take_all(self) -> list[Connection]:
        """All that wait."""
        return self._take_if(lambda _: True)

    def take_silent(self, share: float) -> list[Connection]:
        """A share of all, and at least one: those that have been silent longest."""
        connections = sorted(self._open.values(), key=lambda each: each.silent_since)
        return [each for each in connections[: int(len(connections) * share) + 1] if self._takes(each)]

    def remove(self, connection: Connection) -> None:
        """Forget a connection, which the caller has, before it is closed or given away; afterwards its descriptor may
        be another's."""
        if self._open.get(connection.descriptor) is not connection:
            return
        del self._open[connection.descriptor]
        if connection.is_watched:
            with suppress(OSError):
                self._poller.forget(connection.descriptor)

    def _take_if(self, is_wanted: Callable[[Connection], bool]) -> list[Connection]:
        taken = []
        for connection in list(self._open.values()):
            if is_wanted(connection) and self._takes(connection):
                if is_wanted(connection):
                    taken.append(connection)
                else:  # another thread has gone on with it meanwhile
                    self.wait(connection)
        return taken

    def _takes(self, connection: Connection) -> bool:
        if not connection.taken.acquire(blocking=False):
            return False
        self._count(connection, -1)
        return True

    def _count(self, connection: Connection, sign: int) -> None:
        if not connection.is_idle:
            with self._counting:
                self.in_memory += sign * connection.in_memory
                self.in_file += sign * connection.in_file
