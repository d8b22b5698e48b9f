"""A connection, from its first byte to its end: requests are received as they come, and answered one by one."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from webapp.server.channel import Channel
from webapp.server.refusals import Refused, refusal
from webapp.server.request_buffer import ReceiveLimits, RequestBuffer

_RECEIVE_BYTES = 64 * 1024
"""Above about 128 KB, making room for what may come costs more than most requests do otherwise."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINGER_SECONDS = 2.0
_MOST_DRAINED_BYTES = 64 * 1024

logger = logging.getLogger(__name__)

Serve = Callable[[Channel, RequestBuffer], bool]
"""Answer a request that is complete. Whether its connection can be used for another one."""


class Connection:
    """`taken` is the lock of the thread that has the connection: nobody else calls its methods."""

    def __init__(self, channel: Channel, sender: str, serve: Serve, limits: ReceiveLimits, idle_seconds: float) -> None:
        """`sender`: its address."""
        self.channel = channel
        self.descriptor = channel.fileno()
        self.taken = threading.Lock()
        self.taken.acquire()
        self.is_watched = False
        """The poller has been told of it."""
        self._sender = sender
        self._serve = serve
        self._limits = limits
        self._idle_seconds = idle_seconds
        now = time.monotonic()
        self._request = RequestBuffer(limits, now)
        self._silent_until = now + (idle_seconds or limits.idle_seconds)
        self._drained = 0
        self._step: Callable[[], bool] = self._begin

    def advance(self) -> bool:
        """Go on as far as that is possible without waiting. False: the connection has ended, and is to be closed."""
        try:
            return self._step()
        except BlockingIOError:
            return True
        except OSError:  # the other side has gone
            return False

    @property
    def is_idle(self) -> bool:
        """Nothing of a request has come."""
        return not self._request.size

    @property
    def silent_since(self) -> float:
        """When something came last, or an answer was sent, in seconds of the monotonic clock."""
        return self._request.last

    @property
    def deadline(self) -> float:
        """When the other side will have taken too long, in seconds of the monotonic clock."""
        return self._silent_until if self.is_idle else self._request.deadline

    @property
    def in_memory(self) -> int:
        """Bytes of an unfinished request."""
        return self._request.in_memory

    @property
    def in_file(self) -> int:
        return self._request.in_file

    def refuse(self, status: HTTPStatus, message: str) -> None:
        """Close the connection; a sender that has begun a request is told why."""
        if not self.is_idle:
            self.channel.send_if_possible(refusal(status, message))
        self.close()

    def detach(self) -> socket.socket:
        """The connection itself, for whoever goes on with it."""
        self._request.close()
        return self.channel.detach()

    def close(self) -> None:
        self._request.close()
        self.channel.close()

    def _begin(self) -> bool:
        self.channel.begin()
        self._step = self._receive
        return self._receive()

    def _receive(self) -> bool:
        """Receive a request and answer it, and others that have come with it."""
        try:
            while self._receive_request():
                if not self._serve(self.channel, self._request):
                    return self._linger()
                if not self._begin_next():
                    return True
        except Refused as refused:
            logger.warning("a request of %s is refused: %s", self._sender, refused)
            self.channel.send_if_possible(refusal(refused.status, refused.message))
            return self._linger()
        return False

    def _receive_request(self) -> bool:
        """Receive what has come. True: the request is complete; False: it never will be.

        Raises BlockingIOError if more has to come.
        """
        request = self._request
        while not request.complete:
            if request.wants_continue:
                request.wants_continue = False
                self.channel.send_if_possible(_CONTINUE)
            data = self.channel.receive(_RECEIVE_BYTES)
            if not data:
                return False
            request.add(data, time.monotonic())
        return True

    def _begin_next(self) -> bool:
        """Whether something of another request has come already."""
        rest = self._request.rest()
        self._request.close()
        now = time.monotonic()
        self._silent_until = now + self._idle_seconds
        self._request = RequestBuffer(self._limits, now)
        if rest:
            self._request.add(rest, now)
        return bool(rest) or self.channel.holds_bytes

    def _linger(self) -> bool:
        """Send no more, and wait until the other side has closed, for a while: to close at once would let unread bytes
        of the request destroy the answer (RFC 9112, section 9.6)."""
        self.channel.end_sending()
        self._request.close()
        now = time.monotonic()
        self._silent_until = now + _LINGER_SECONDS
        self._request = RequestBuffer(self._limits, now)
        self._step = self._drain
        return True

    def _drain(self) -> bool:
        data = self.channel.receive(_MOST_DRAINED_BYTES)
        self._drained += len(data)
        return bool(data) and self._drained <= _MOST_DRAINED_BYTES
