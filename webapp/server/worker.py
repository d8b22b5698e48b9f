"""Gunicorn's threads, for senders and readers of any speed.

No thread waits for a request: its bytes are collected as they come (webapp.server.request_buffer), and a thread is
taken when it is whole. Who sends too slowly is let go. No thread waits for a live stream either: its connection is
handed over (webapp.server.connection_handoff).
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from webapp import live
from webapp.intake.headers import AS_SENT
from webapp.live.hub_process import HubProcess
from webapp.live.viewing import Places, Viewing
from webapp.server import connection_handoff
from webapp.server.request_buffer import CONTINUE, Patience, RequestBuffer

_AWAIT_MORE: Final = object()
_sent_headers: ContextVar[Sequence[tuple[str, str]]] = ContextVar("sent_headers", default=())
"""Of the present request."""
_PIECE = 256 * 1024
_MOST_HELD = 64 * 1024 * 1024
"""Bytes of requests that are still arriving, in one process."""
_LOOK_SECONDS = 0.5
_TAKES_NOTHING_SECONDS = 30
_LINGER_SECONDS = 2.0
_MOST_DRAINED = 64 * 1024
_REFUSALS = {
    408: ("Request Timeout", "the request did not arrive in time"),
    503: ("Service Unavailable", "too many large requests are arriving; please try again"),
}


class Worker(ThreadWorker):  # type: ignore[misc]
    """`pending_conns` are the connections that wait in the poller: for more of a request, or for their end."""

    wsgi: Any
    _patience: Patience
    _hub: HubProcess
    _held = 0
    _next_look = 0.0

    def load_wsgi(self) -> None:
        super().load_wsgi()
        settings = self.wsgi.extensions["flowforge"].settings
        most = self.wsgi.config["MAX_CONTENT_LENGTH"]
        self._patience = Patience(settings.web_read_timeout, settings.web_request_timeout, most)
        places = Places(settings.live_viewers)
        listening = [listener.fileno() for listener in self.sockets]
        self._hub = HubProcess(settings, places.give_back, self._end_without_hub, foreign=listening)
        live.serve_with(self.wsgi.extensions, Viewing(places, self._hub.serve))
        self.wsgi = _telling_headers(self.wsgi)

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._hub.close()

    def handle(self, conn: TConn) -> Any:
        if self.cfg.is_ssl:
            return super().handle(conn)
        arriving = self._arriving(conn)
        if not arriving.whole:
            try:
                if not _receive(conn, arriving):
                    return False
            except BlockingIOError:
                return _AWAIT_MORE
            except OSError:  # the sender has left
                return False
        conn.init()
        conn.parser.unreader.unread(bytes(arriving.data))
        conn.data_ready = True
        conn.cut, conn.arriving = arriving.cut, None
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        if getattr(conn, "cut", False):
            req.force_close()  # the rest of its body would be taken for the next request
        if getattr(conn, "cut", False) or getattr(conn, "continued", False):
            req._expected_100_continue = conn.continued = False
        token = connection_handoff.possible.set(not isinstance(conn.sock, ssl.SSLSocket))
        sent = _sent_headers.set(req.headers)
        try:
            return bool(super().handle_request(req, conn))
        except connection_handoff.HandedOver as handed_over:
            conn.handed_over = True
            handed_over.take(socket.socket(fileno=conn.sock.detach()))
            return False
        except BlockingIOError as error:  # the reader takes nothing of the answer: see _limit_waiting
            raise ConnectionResetError(errno.ECONNRESET, "the reader is too slow") from error
        finally:
            connection_handoff.possible.reset(token)
            _sent_headers.reset(sent)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        if getattr(conn, "handed_over", False):
            self.nr_conns -= 1
        elif fs.cancelled() or fs.exception() is not None:
            super().finish_request(conn, fs)
        elif fs.result() is _AWAIT_MORE:
            self._await_more(conn)
        elif not fs.result():
            self._linger(conn)
        else:
            super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Lets go of those whose time is over; when there are too many, of those that were silent longest."""
        now = time.monotonic()
        if self.nr_conns >= self.worker_connections:
            for conn in list(self.pending_conns)[: len(self.pending_conns) // 4 + 1]:
                self._let_go(conn, 408)
        elif now >= self._next_look:
            self._next_look = now + _LOOK_SECONDS
            for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
                self._let_go(conn, 408)

    def _end_without_hub(self) -> None:
        """Another worker comes, with a hub of its own."""
        if self.alive:
            self.log.error("the process of the live streams has ended; this worker ends, too")
            self.handle_exit(None, None)

    def _arriving(self, conn: TConn) -> RequestBuffer:
        found: RequestBuffer | None = getattr(conn, "arriving", None)
        if found is None:
            if conn.parser is None:
                _limit_waiting(conn.sock)
            first = conn.parser.unreader.take_buffered() if conn.parser else b""
            found = conn.arriving = RequestBuffer(self._patience, time.monotonic(), first)
        return found

    def _await_more(self, conn: TConn) -> None:
        arriving: RequestBuffer = conn.arriving
        until = arriving.due if arriving.data else time.monotonic() + self.cfg.keepalive
        self._wait(conn, until, self._more_comes)
        if until <= time.monotonic():  # a trickle would be busy whenever somebody looks
            self._let_go(conn, 408)
        elif self._held > _MOST_HELD:
            self._let_go(conn, 503)

    def _more_comes(self, conn: TConn, _fileobj: Any) -> None:
        self._stop_waiting(conn)
        self.enqueue_req(conn)

    def _linger(self, conn: TConn) -> None:
        """Ends our side, and closes when the other has ended its own, or after a while: what is unread of a request
        would else take the answer with it. Gunicorn waits for that on its main thread, where it stops everybody."""
        conn.arriving, conn.drained = None, 0
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self._wait(conn, time.monotonic() + _LINGER_SECONDS, self._drain)
        except (OSError, ValueError):
            self.nr_conns -= 1
            conn.close()

    def _drain(self, conn: TConn, _fileobj: Any) -> None:
        try:
            data = conn.sock.recv(_MOST_DRAINED)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.drained += len(data)
        if not data or conn.drained > _MOST_DRAINED:
            self._let_go(conn, 408)

    def _wait(self, conn: TConn, until: float, readable: Callable[[TConn, Any], None]) -> None:
        conn.sock.setblocking(False)
        conn.timeout = until
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(readable, conn))
        self.pending_conns.append(conn)
        self._held += _held_by(conn)

    def _stop_waiting(self, conn: TConn) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        self._held -= _held_by(conn)

    def _let_go(self, conn: TConn, status: int) -> None:
        self._stop_waiting(conn)
        if _held_by(conn):
            with contextlib.suppress(OSError):
                conn.sock.send(_refusal(status))
        self.nr_conns -= 1
        conn.close()


def _telling_headers(wsgi: Any) -> Any:
    def told(environ: dict[str, Any], start_response: Any) -> Any:
        environ[AS_SENT] = _sent_headers.get()
        return wsgi(environ, start_response)

    return told


def _receive(conn: TConn, arriving: RequestBuffer) -> bool:
    """Takes what has come. True: the request is whole; False: it never will be. BlockingIOError: more has to come."""
    while not arriving.whole:
        data = conn.sock.recv(_PIECE, socket.MSG_DONTWAIT)
        if not data:
            return False
        arriving.add(data, time.monotonic())
        if arriving.continue_wanted and not getattr(conn, "continued", False):
            conn.continued = True
            conn.sock.send(CONTINUE, socket.MSG_DONTWAIT)
    return True


def _limit_waiting(sock: socket.socket) -> None:
    """For what a thread still does with the connection: it writes the answer, and may read what is no HTTP."""
    limit = struct.pack("ll", _TAKES_NOTHING_SECONDS, 0)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def _held_by(conn: TConn) -> int:
    arriving: RequestBuffer | None = getattr(conn, "arriving", None)
    return len(arriving.data) if arriving else 0


def _refusal(status: int) -> bytes:
    phrase, message = _REFUSALS[status]
    body = f'{{"status":{status},"statusCode":{status},"error":"{phrase}","message":"{message}"}}'
    head = f"HTTP/1.1 {status} {phrase}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
