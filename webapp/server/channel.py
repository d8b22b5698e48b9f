"""The bytes of a connection. Receiving never waits; sending waits for the reader, but not for ever."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import IO

SLOW_READER_SECONDS = 30
"""The longest that a reader may take nothing of what it is sent."""
_MORE_FOLLOWS = getattr(socket, "MSG_MORE", 0)
"""Where there is this flag (Linux), a head goes in one packet with the file that follows."""


class Channel:
    """A connection in clear. All methods raise OSError where the other side has gone."""

    can_be_detached = True
    """Whether another process can go on with the connection."""
    sends_files = True

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SLOW_READER_SECONDS, 0))
        self._sock = sock

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
        return self._sock.recv(most, socket.MSG_DONTWAIT)

    def send(self, data: bytes, *, more_follows: bool = False) -> None:
        try:
            self._sock.sendall(data, _MORE_FOLLOWS if more_follows else 0)
        except BlockingIOError as error:
            raise TimeoutError("the reader is too slow") from error

    def send_file(self, file: IO[bytes], count: int) -> None:
        """Have the system send so many bytes of a file, which has a descriptor. Raises EOFError where it is shorter."""
        descriptor, offset = file.fileno(), file.tell()
        while count:
            try:
                sent = os.sendfile(self._sock.fileno(), descriptor, offset, count)
            except BlockingIOError as error:
                raise TimeoutError("the reader is too slow") from error
            if not sent:
                raise EOFError("the file is shorter than its response")
            offset, count = offset + sent, count - sent

    def send_if_possible(self, data: bytes) -> None:
        """Send at once, or not at all."""
        with contextlib.suppress(OSError):
            self._sock.send(data, socket.MSG_DONTWAIT)

    def end_sending(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    def detach(self) -> socket.socket:
        """The connection, for whoever goes on with it."""
        return socket.socket(fileno=self._sock.detach())

    def close(self) -> None:
        self._sock.close()
