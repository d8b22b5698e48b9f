"""Threads that serve a WSGI application over HTTP/1.1, for senders and readers of any speed.

Each thread waits for a connection that can go on, goes on with it, and waits again; nothing is handed over between
threads. None waits for a request: what has come of it is held, and the thread goes to another connection. Senders that
are too slow are disconnected. No thread waits for a live stream either: its connection is handed off
(webapp.live.connection_handoff).
"""

from __future__ import annotations

import itertools
import logging
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIApplication

from webapp.live.connection_handoff import HandedOff
from webapp.server.channel import Channel
from webapp.server.connection import Connection
from webapp.server.connections import Connections
from webapp.server.environ import client_environ, server_environ
from webapp.server.exchange import Exchanges
from webapp.server.poller import make_poller
from webapp.server.request_buffer import ReceiveLimits
from webapp.server.slow_readers import SlowReaders
from webapp.server.tls_channel import TlsChannel

logger = logging.getLogger(__name__)

_MOST_BUFFERED_BYTES = 64 * 1024 * 1024
"""The limit on the bytes of incomplete requests that one process buffers."""
_MOST_SPOOLED_BYTES = 1024 * 1024 * 1024
"""The limit on those that it holds in temporary files."""
_SHARE_FOR_OTHERS = 0.25
"""Of the connections, those that are closed at once where there would be too many."""
_END_WITHIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class ServerSettings:
    threads: int
    """The most requests that are served at once."""
    connections: int
    """The most that are open at once."""
    idle_seconds: float
    """The longest that a connection is kept without a request; 0: each serves one."""
    receive: ReceiveLimits
    processes: int = 1
    """Servers like this one on the same listeners."""
    requests: int = sys.maxsize
    """After so many the server has had enough."""
    tls: ssl.SSLContext | None = None


class Server:
    """To be made in the process that serves, and to be swept regularly."""

    def __init__(self, application: WSGIApplication, listeners: Sequence[Any], settings: ServerSettings) -> None:
        self._application = application
        self._settings = settings
        self._poller = make_poller()
        self._connections = Connections(self._poller)
        self._listeners = {listener.fileno(): listener for listener in listeners}
        self._environs = {
            descriptor: server_environ(
                listener.getsockname(), is_secure=settings.tls is not None, processes=settings.processes
            )
            for descriptor, listener in self._listeners.items()
        }
        self._ended, self._end = os.pipe()
        self._slow_readers = SlowReaders(settings.threads)
        self._threads: list[threading.Thread] = []
        self._idle_threads = 0
        self._counting = threading.Lock()
        self._numbers = itertools.count(1)
        self._is_draining = False
        self.is_exhausted = False
        """It has served as many requests as it was to."""

    def start(self) -> None:
        self._poller.watch_always(self._ended)
        for descriptor, listener in self._listeners.items():
            listener.setblocking(False)
            self._poller.watch(descriptor, anew=False)
        with self._counting:
            self._start_thread()

    def sweep(self) -> None:
        """Close connections whose time is over, and accept new ones again where that had been suspended."""
        for connection in self._connections.take_late(time.monotonic()):
            self._refuse(connection, HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time")
        if not self._is_draining:
            self._accept_again()

    def drain(self) -> None:
        """Accept no more connections; those that there are serve one request at most."""
        self._is_draining = True
        for descriptor in self._listeners:
            with suppress(OSError):
                self._poller.forget(descriptor)

    @property
    def is_busy(self) -> bool:
        """Whether there are connections."""
        return bool(len(self._connections))

    def close_idle(self) -> None:
        """Close the connections of which nothing of a request has come."""
        for connection in self._connections.take_idle():
            self._close(connection)

    def end(self) -> None:
        """Close what waits, and have the threads end as soon as they have nothing to do; one that never does is left
        behind."""
        os.close(self._end)
        until = time.monotonic() + _END_WITHIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for connection in self._connections.take_all():
            self._close(connection)

    def _start_thread(self) -> None:
        """Called with the count in hand."""
        thread = threading.Thread(target=self._work, name=f"web-{len(self._threads) + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            logger.warning("the system gives no more threads; there are %d", len(self._threads))
        else:
            self._idle_threads += 1
            self._threads.append(thread)

    def _work(self) -> None:
        """What a thread does: one step of one connection after the other."""
        while (descriptor := self._poller.next()) != self._ended:
            self._leave_another_waiting()
            listener = self._listeners.get(descriptor)
            connection = self._accept(listener) if listener is not None else self._connections.take(descriptor)
            if connection is not None:
                self._advance(connection)
            with self._counting:
                self._idle_threads += 1

    def _leave_another_waiting(self) -> None:
        """Start another thread when the last that waited has something to do."""
        with self._counting:
            self._idle_threads -= 1
            if not self._idle_threads and len(self._threads) < self._settings.threads:
                self._start_thread()

    def _accept(self, listener: Any) -> Connection | None:
        if self._is_draining or not self._has_room():
            return None
        descriptor = listener.fileno()
        try:
            sock, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another process has it, or its sender has gone
            self._watch_listener(descriptor)
            return None
        except OSError:  # no descriptors are left, for example: the next sweep tries again
            logger.exception("no connection can be accepted")
            self._make_room()
            return None
        self._watch_listener(descriptor)
        return self._open(sock, self._environs[descriptor], client_environ(address))

    def _open(self, sock: socket.socket, server: dict[str, Any], client: dict[str, str]) -> Connection | None:
        settings = self._settings
        try:
            channel = self._channel(sock)
        except OSError:  # its sender has gone
            sock.close()
            return None
        exchanges = Exchanges(self._application, server, client, self._note_request)
        connection = Connection(
            channel, client["REMOTE_ADDR"], exchanges.serve, settings.receive, settings.idle_seconds
        )
        self._connections.add(connection)
        return connection

    def _channel(self, sock: socket.socket) -> Channel:
        tls = self._settings.tls
        return Channel(sock, self._slow_readers) if tls is None else TlsChannel(sock, self._slow_readers, tls)

    def _has_room(self) -> bool:
        """Whether another connection may be accepted; those that are silent make room. If not, the next sweep tries
        again."""
        if len(self._connections) >= self._settings.connections:
            self._make_room()
        return len(self._connections) < self._settings.connections

    def _make_room(self) -> None:
        for connection in self._connections.take_silent(_SHARE_FOR_OTHERS):
            self._refuse(connection, HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time")

    def _accept_again(self) -> None:
        for descriptor in self._listeners:
            self._watch_listener(descriptor)

    def _watch_listener(self, descriptor: int) -> None:
        with suppress(OSError):  # it has been forgotten meanwhile
            self._poller.watch(descriptor, anew=True)

    def _advance(self, connection: Connection) -> None:
        """Whatever goes wrong with a connection ends that one alone: others need its thread."""
        try:
            self._go_on(connection)
        except BaseException:  # an application may even want to exit
            logger.exception("a connection is closed because of a fault in the server")
            self._close(connection)

    def _go_on(self, connection: Connection) -> None:
        try:
            goes_on = connection.advance()
        except HandedOff as handed_off:
            self._hand_off(connection, handed_off.take)
        else:
            if not goes_on:
                self._close(connection)
            elif connection.is_idle or self._may_wait(connection):
                self._connections.wait(connection)

    def _may_wait(self, connection: Connection) -> bool:
        """Whether there is time and room to wait for the rest of a request; if not, its connection is closed."""
        if connection.deadline <= time.monotonic():  # a sweep may never find one that sends byte after byte
            self._refuse(connection, HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time")
        elif (
            self._connections.in_memory + connection.in_memory > _MOST_BUFFERED_BYTES
            or self._connections.in_file + connection.in_file > _MOST_SPOOLED_BYTES
        ):
            message = "too many large requests are arriving; please try again"
            self._refuse(connection, HTTPStatus.SERVICE_UNAVAILABLE, message)
        else:
            return True
        return False

    def _hand_off(self, connection: Connection, take: Callable[[socket.socket], None]) -> None:
        self._connections.remove(connection)
        with suppress(OSError):  # the one who was to take it has ended
            take(connection.detach())

    def _refuse(self, connection: Connection, status: HTTPStatus, message: str) -> None:
        self._connections.remove(connection)
        connection.refuse(status, message)

    def _close(self, connection: Connection) -> None:
        self._connections.remove(connection)
        connection.close()

    def _note_request(self) -> bool:
        """Count a request. Whether its connection may be kept for another one."""
        if next(self._numbers) == self._settings.requests:
            self.is_exhausted = True
        return not (self._is_draining or self.is_exhausted) and self._settings.idle_seconds > 0
