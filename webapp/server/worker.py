"""Gunicorn's threads, for senders and readers of any speed.

No thread waits for a request: its bytes are buffered as they come (webapp.server.request_buffer), and a thread takes it
when it is complete. Senders that are too slow are disconnected. No thread waits for a live stream either: its
connection is handed off (webapp.live.connection_handoff).

This stands on private parts of gunicorn's threaded worker; tests/server/test_gunicorn_internals.py names them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Final
from wsgiref.types import WSGIEnvironment

from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest

from flowforge.fair_shares import FairShares
from webapp import live
from webapp.edge import API_MAX_BYTES, MOST_RECEIVED_BYTES
from webapp.intake.headers import AS_SENT
from webapp.live.connection_handoff import CAN_HAND_OFF, HandedOff
from webapp.live.hub_process import HubProcess
from webapp.live.viewers import StreamService
from webapp.server.request_buffer import CONTINUE, ReceiveLimits, RequestBuffer

_INCOMPLETE: Final = object()
"""Result of `handle`: more of the request has to come."""
_RECEIVE_BYTES = 256 * 1024
_MAX_BUFFERED_BYTES = 64 * 1024 * 1024
"""The limit on the bytes of incomplete requests that one process buffers."""
_MAX_SPOOLED_BYTES = 1024 * 1024 * 1024
"""The limit on those that it holds in temporary files."""
_SWEEP_SECONDS = 0.5
_SOCKET_TIMEOUT_SECONDS = 30
_LINGER_SECONDS = 2.0
_MAX_DRAINED_BYTES = 64 * 1024
_REFUSALS = {
    408: ("Request Timeout", "the request did not arrive in time"),
    503: ("Service Unavailable", "too many large requests are arriving; please try again"),
}


@dataclass(slots=True)
class _Progress:
    """The progress of a connection; kept at gunicorn's own object as `conn.progress`."""

    buffer: RequestBuffer | None = None
    truncated: bool = False
    """The rest of the present request's body is not read."""
    continue_sent: bool = False
    handed_off: bool = False
    drained: int = 0

    @property
    def has_begun(self) -> bool:
        """Whether something of a request has come."""
        return self.buffer is not None and self.buffer.size > 0

    @property
    def buffered(self) -> int:
        """Bytes in memory."""
        return self.buffer.in_memory if self.buffer else 0

    @property
    def spooled(self) -> int:
        """Bytes in a file."""
        return self.buffer.in_file if self.buffer else 0

    def drop_buffer(self) -> None:
        if self.buffer is not None:
            self.buffer.close()
        self.buffer = None


@dataclass(frozen=True, slots=True)
class _RequestFacts:
    """Facts about a request that the application needs beyond WSGI's environ."""

    headers: Sequence[tuple[str, str]] = ()
    can_hand_off: bool = False


_NO_FACTS = _RequestFacts()
_facts: ContextVar[_RequestFacts] = ContextVar("request_facts")
"""The facts of the request that this thread serves."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """`pending_conns` are the connections that wait in the poller: for more of a request, or for their end."""

    wsgi: Any
    _limits: ReceiveLimits
    _hub: HubProcess
    _buffered = _spooled = 0
    _next_sweep = 0.0

    def load_wsgi(self) -> None:
        super().load_wsgi()
        settings = self.wsgi.extensions["flowforge"].settings
        body_bytes = max(MOST_RECEIVED_BYTES, settings.webhook_max_bytes)
        upload_bytes = settings.file_max_bytes + max(settings.webhook_max_bytes, API_MAX_BYTES)
        self._limits = ReceiveLimits(settings.web_read_timeout, settings.web_request_timeout, body_bytes, upload_bytes)
        slots = FairShares(settings.live_viewers)
        listening = [listener.fileno() for listener in self.sockets]
        self._hub = HubProcess(settings, slots.give_back, self._end_without_hub, foreign=listening)
        live.serve_with(self.wsgi.extensions, StreamService(slots, self._hub.serve))
        self.wsgi = _with_facts(self.wsgi)

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._hub.close()

    def handle(self, conn: TConn) -> Any:
        """Serve a request in a thread, if it is complete."""
        if self.cfg.is_ssl:
            return super().handle(conn)
        buffer = self._buffer(conn)
        try:
            if not buffer.complete and not _receive(conn, buffer):
                return False
        except BlockingIOError:
            return _INCOMPLETE
        except OSError:  # the sender has left
            return False
        conn.init()
        conn.data_ready = True
        progress = _progress(conn)
        progress.truncated, progress.buffer = buffer.truncated, None
        received = buffer.take()
        if isinstance(received, bytes):
            conn.parser.unreader.unread(received)
            del received  # the parser has copied it
            return super().handle(conn)
        with received:
            conn.parser.unreader = _FileUnreader(conn.sock, received)
            keeps_alive = super().handle(conn)
            if keeps_alive:
                conn.parser.unreader.keep_rest()
            return keeps_alive

    def handle_request(self, req: Any, conn: TConn) -> bool:
        progress = _progress(conn)
        if progress.truncated:
            req.force_close()  # the rest of its body would be taken for the next request
        if progress.truncated or progress.continue_sent:
            req._expected_100_continue = progress.continue_sent = False
        facts = _facts.set(_RequestFacts(req.headers, not isinstance(conn.sock, ssl.SSLSocket)))
        try:
            return bool(super().handle_request(req, conn))
        except HandedOff as handed_off:
            progress.handed_off = True
            handed_off.take(socket.socket(fileno=conn.sock.detach()))
            return False
        except BlockingIOError as error:  # the reader takes nothing of the answer: see _set_socket_timeouts
            raise ConnectionResetError(errno.ECONNRESET, "the reader is too slow") from error
        finally:
            _facts.reset(facts)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Decide, on the main thread, what becomes of a connection after `handle`."""
        if _progress(conn).handed_off:
            self.nr_conns -= 1
        elif fs.cancelled() or fs.exception() is not None:
            super().finish_request(conn, fs)
        elif fs.result() is _INCOMPLETE:
            self._await_more(conn)
        elif not fs.result():
            self._linger(conn)
        else:
            super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Close connections whose time is over; when there are too many, those that were silent longest."""
        now = time.monotonic()
        if self.nr_conns >= self.worker_connections:
            for conn in list(self.pending_conns)[: len(self.pending_conns) // 4 + 1]:
                self._disconnect(conn, 408)
        elif now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_SECONDS
            for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
                self._disconnect(conn, 408)

    def _end_without_hub(self) -> None:
        """End this worker: gunicorn starts another, with a hub of its own."""
        if self.alive:
            self.log.error("the process of the live streams has ended; this worker ends, too")
            self.handle_exit(None, None)

    def _buffer(self, conn: TConn) -> RequestBuffer:
        progress = _progress(conn)
        if progress.buffer is None:
            if conn.parser is None:
                _set_socket_timeouts(conn.sock)
            first = conn.parser.unreader.take_buffered() if conn.parser else b""
            progress.buffer = RequestBuffer(self._limits, time.monotonic(), first)
        return progress.buffer

    def _await_more(self, conn: TConn) -> None:
        buffer = self._buffer(conn)
        deadline = buffer.deadline if buffer.size else time.monotonic() + self.cfg.keepalive
        self._wait_in_poller(conn, deadline, self._resume)
        if deadline <= time.monotonic():  # a sender of single bytes is never among those that a sweep finds waiting
            self._disconnect(conn, 408)
        elif self._buffered > _MAX_BUFFERED_BYTES or self._spooled > _MAX_SPOOLED_BYTES:
            self._disconnect(conn, 503)

    def _resume(self, conn: TConn, _fileobj: Any) -> None:
        self._leave_poller(conn)
        self.enqueue_req(conn)

    def _linger(self, conn: TConn) -> None:
        """Shut down our side, and close when the other side has done so, or after a while.

        Closing at once would let unread bytes of the request destroy the answer (RFC 9112, section 9.6). Gunicorn
        waits for that on its main thread, where it stops everybody.
        """
        progress = _progress(conn)
        progress.drop_buffer()
        progress.drained = 0
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self._wait_in_poller(conn, time.monotonic() + _LINGER_SECONDS, self._drain)
        except (OSError, ValueError):
            self.nr_conns -= 1
            conn.close()

    def _drain(self, conn: TConn, _fileobj: Any) -> None:
        try:
            data = conn.sock.recv(_MAX_DRAINED_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        progress = _progress(conn)
        progress.drained += len(data)
        if not data or progress.drained > _MAX_DRAINED_BYTES:
            self._disconnect(conn, 408)

    def _wait_in_poller(self, conn: TConn, deadline: float, on_readable: Callable[[TConn, Any], None]) -> None:
        conn.sock.setblocking(False)
        conn.timeout = deadline
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(on_readable, conn))
        self.pending_conns.append(conn)
        self._buffered += _progress(conn).buffered
        self._spooled += _progress(conn).spooled

    def _leave_poller(self, conn: TConn) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        self._buffered -= _progress(conn).buffered
        self._spooled -= _progress(conn).spooled

    def _disconnect(self, conn: TConn, status: int) -> None:
        """Close a connection that waits in the poller; a sender that has begun a request is answered `status`."""
        self._leave_poller(conn)
        if _progress(conn).has_begun:
            with contextlib.suppress(OSError):
                conn.sock.send(_refusal(status))
        _progress(conn).drop_buffer()
        self.nr_conns -= 1
        conn.close()


def _progress(conn: TConn) -> _Progress:
    found: _Progress | None = getattr(conn, "progress", None)
    if found is None:
        found = conn.progress = _Progress()
    return found


class _FileUnreader(SocketUnreader):  # type: ignore[misc]
    """Gives what was received into a file, piece by piece as it is asked for, and then what the socket has."""

    def __init__(self, sock: socket.socket, received: IO[bytes]) -> None:
        super().__init__(sock)
        self._received: IO[bytes] | None = received

    def chunk(self, size_hint: int | None = None) -> bytes:
        size = min(size_hint or self.mxchunk, _RECEIVE_BYTES)
        piece = self._received.read(size) if self._received else b""
        return piece or super().chunk(size_hint)

    def keep_rest(self) -> None:
        """Keeps what the file still has, the beginning of the next request: the file will be closed."""
        assert self._received is not None
        self.buf.seek(0, os.SEEK_END)
        self.buf.write(self._received.read())
        self._received = None


def _with_facts(wsgi: Any) -> Any:
    """Wrap the application: the facts of a request stand in its WSGI environment."""

    def call(environ: WSGIEnvironment, start_response: Any) -> Any:
        facts = _facts.get(_NO_FACTS)
        environ[AS_SENT], environ[CAN_HAND_OFF] = facts.headers, facts.can_hand_off
        environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return wsgi(environ, start_response)

    return call


class _Body:
    """A request's body as WSGI reads it, whose broken chunks are the sender's mistake (400), not ours."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __getattr__(self, name: str) -> Callable[..., Any]:
        read = getattr(self._body, name)

        def checked(*arguments: Any) -> Any:
            try:
                return read(*arguments)
            except (ParseException, NoMoreData) as error:
                raise BadRequest(f"the body cannot be read: {error}") from error

        return checked


def _receive(conn: TConn, buffer: RequestBuffer) -> bool:
    """Receive what has come. True: the request is complete; False: it never will be.

    Raises BlockingIOError if more has to come.
    """
    progress = _progress(conn)
    while not buffer.complete:
        data = conn.sock.recv(_RECEIVE_BYTES, socket.MSG_DONTWAIT)
        if not data:
            return False
        buffer.add(data, time.monotonic())
        if buffer.wants_continue and not progress.continue_sent:
            progress.continue_sent = True
            conn.sock.send(CONTINUE, socket.MSG_DONTWAIT)
    return True


def _set_socket_timeouts(sock: socket.socket) -> None:
    """Limit what a thread still waits for: to write an answer, and to read what is no HTTP."""
    limit = struct.pack("ll", _SOCKET_TIMEOUT_SECONDS, 0)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def _refusal(status: int) -> bytes:
    phrase, message = _REFUSALS[status]
    body = f'{{"status":{status},"statusCode":{status},"error":"{phrase}","message":"{message}"}}'
    kind = "Content-Type: application/json\r\nX-Content-Type-Options: nosniff"
    head = f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\n{kind}\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()
