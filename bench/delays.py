"""A network between two servers of this machine: what is sent arrives a moment later, in either direction.

`python -m bench.delays PORT SECONDS ADDRESS`: connections to this port of the loopback are led to ADDRESS, a unix
socket.
"""

from __future__ import annotations

import heapq
import itertools
import select
import socket
import sys
import time
from dataclasses import dataclass, field

_AT_ONCE = 256 * 1024


@dataclass(order=True)
class _Sent:
    """Bytes on their way; no bytes: the end of them."""

    due: float
    number: int
    target: socket.socket = field(compare=False)
    data: bytes = field(compare=False)


class Network:
    """`select`, since it alone waits for less than a millisecond."""

    def __init__(self, port: int, delay: float, address: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._delay = delay
        self._address = address
        self._peers: dict[socket.socket, socket.socket] = {}
        self._on_their_way: list[_Sent] = []
        self._numbers = itertools.count()

    def run(self) -> None:
        while True:
            wait = max(0.0, self._on_their_way[0].due - time.monotonic()) if self._on_their_way else None
            ready, _, _ = select.select([self._listener, *self._peers], [], [], wait)
            for source in ready:
                if source is self._listener:
                    self._connect()
                elif source in self._peers:
                    self._take(source)
            self._deliver()

    def _connect(self) -> None:
        near, _ = self._listener.accept()
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._address)
        self._peers |= {near: far, far: near}

    def _take(self, source: socket.socket) -> None:
        try:
            data = source.recv(_AT_ONCE)
        except ConnectionError:
            data = b""
        due = time.monotonic() + self._delay
        target = self._peers[source]
        if not data:
            del self._peers[source]
        heapq.heappush(self._on_their_way, _Sent(due, next(self._numbers), target, data))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._on_their_way and self._on_their_way[0].due <= now:
            sent = heapq.heappop(self._on_their_way)
            try:
                sent.target.sendall(sent.data) if sent.data else sent.target.shutdown(socket.SHUT_WR)
            except OSError:  # the other side is gone
                continue


if __name__ == "__main__":
    Network(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]).run()
