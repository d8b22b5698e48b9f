"""The bytes of a connection. Receiving never waits; sending waits for the reader, but not for ever."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from typing import IO

from webapp.server.slow_readers import SlowReaders

_MORE_FOLLOWS = getattr(socket, "MSG_MORE", 0)
"""Where there is this flag (Linux), a head goes in one packet with the file that follows."""


class Channel:
    """A connection in clear. All methods raise OSError where the other side has gone."""

    can_be_detached = True
    """Whether another process can go on with the connection."""
    sends_files = True

    def __init__(self, sock: socket.socket, slow_readers: SlowReaders) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._slow_readers = slow_readers

    @property
    def holds_bytes(self) -> bool:
        """Whether bytes can be received of which the system does not tell."""
        return False

    def fileno(self) -> int:
        return self._sock.fileno()

    def begin(self) -> None:
        """Agree with the other side on what comes first. Raises BlockingIOError where it has to answer."""

    def receive(self, most: int) -> bytes:
        """Empty at the end. Raises BlockingIOError where nothing has come."""
        return self._sock.recv(most)

    def send(self, data: bytes, *, more_follows: bool = False) -> None:
        try:
            sent = self._send_some(data, more_follows=more_follows)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._send_slowly(memoryview(data)[sent:], more_follows=more_follows)

    def send_file(self, file: IO[bytes], count: int) -> None:
        """Have the system send so many bytes of a file, which has a descriptor. Raises EOFError where it is shorter."""
        descriptor, offset = file.fileno(), file.tell()
        with self._slow_readers.patience() as seconds:
            while count:
                self._await_reader(seconds)
                try:
                    sent = os.sendfile(self._sock.fileno(), descriptor, offset, count)
                except BlockingIOError:
                    continue
                if not sent:
                    raise EOFError("the file is shorter than its response")
                offset, count = offset + sent, count - sent

    def send_if_possible(self, data: bytes) -> None:
        """Send at once, or not at all."""
        with contextlib.suppress(OSError):
            self._send_some(data)

    def end_sending(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    def detach(self) -> socket.socket:
        """The connection, for whoever goes on with it."""
        detached = socket.socket(fileno=self._sock.detach())
        detached.setblocking(True)
        return detached

    def close(self) -> None:
        self._sock.close()

    def _send_some(self, data: bytes | memoryview, *, more_follows: bool = False) -> int:
        """Send what the system takes at once. Raises BlockingIOError where that is nothing."""
        return self._sock.send(data, _MORE_FOLLOWS if more_follows else 0)

    def _send_slowly(self, data: memoryview, *, more_follows: bool) -> None:
        with self._slow_readers.patience() as seconds:
            while data:
                self._await_reader(seconds)
                with contextlib.suppress(BlockingIOError):
                    data = data[self._send_some(data, more_follows=more_follows) :]

    def _await_reader(self, seconds: float) -> None:
        """Wait until something can be sent. Raises TimeoutError."""
        poll = select.poll()
        poll.register(self._sock, select.POLLOUT)
        if not poll.poll(seconds * 1000):
            raise TimeoutError("the reader is too slow")
