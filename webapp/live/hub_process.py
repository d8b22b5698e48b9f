"""The hub in a process of its own, forked from a worker of the web server.

In one process, requests and streams would take the interpreter from each other: every line to every viewer gives it
away once (docs/decisions/0012-web-server.md). Connections go there over a pair of sockets, each with a line of JSON;
for each stream that has ended, the id of its viewer's account comes back through a pipe. When one of the two processes
ends, so does the other.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NoReturn
from uuid import UUID

import psutil
from pydantic import TypeAdapter

from flowforge.process_name import show_as
from flowforge.settings import Settings
from flowforge.wiring import Backends
from webapp.live.hub import Hub
from webapp.live.stream import StreamRequest

logger = logging.getLogger(__name__)

_SEND_SECONDS = 5.0
_ENDS_WITHIN_SECONDS = 1.0
_DESCRIPTORS_AT_ONCE = 64
_ID_BYTES = 16
_NICENESS = 5
"""Niceness of the hub: where processors are scarce, callers of webhooks come before viewers."""
_MESSAGE = TypeAdapter(tuple[StreamRequest, bool])
"""The message that accompanies a connection: the request, and whether its response is chunked."""
_IGNORED_SIGNALS = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")
"""Signals that reach the whole process group; the hub ends with its worker."""


class HubProcess:
    """A hub in a child process; to be made before any thread is started.

    `on_end` is called with the viewer's account for each stream that has ended, `on_death` when the process has, both
    in a thread of their own. `foreign` are descriptors that the child must not keep open.
    """

    def __init__(
        self,
        settings: Settings,
        on_end: Callable[[UUID], None],
        on_death: Callable[[], None],
        foreign: Sequence[int] = (),
    ) -> None:
        self._to_hub, from_worker = socket.socketpair()
        read_ends, write_ends = os.pipe()
        pid = os.fork()
        if not pid:
            self._to_hub.close()
            for descriptor in (read_ends, *foreign):
                os.close(descriptor)
            _run_hub(settings, from_worker, write_ends)
        from_worker.close()
        os.close(write_ends)
        self._process = psutil.Process(pid)
        self._to_hub.settimeout(_SEND_SECONDS)
        self._sending = threading.Lock()
        self._on_end = on_end
        threading.Thread(target=_watch_ends, args=(read_ends, on_end, on_death), name="live-ends", daemon=True).start()

    def serve(self, request: StreamRequest, connection: socket.socket, *, chunked: bool) -> None:
        """Pass the connection on. Raises OSError when the hub takes nothing: then the stream has ended."""
        line = _MESSAGE.dump_json((request, chunked)) + b"\n"
        try:
            with connection, self._sending:
                sent = socket.send_fds(self._to_hub, [line], [connection.fileno()])
                self._to_hub.sendall(line[sent:])
        except OSError:
            self._on_end(request.user_id)
            raise

    def close(self) -> None:
        """End the process and its streams; returns when it is gone."""
        self._to_hub.close()
        try:
            self._process.wait(_ENDS_WITHIN_SECONDS)
        except psutil.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _watch_ends(pipe: int, on_end: Callable[[UUID], None], on_death: Callable[[], None]) -> None:
    """Read ids, which are whole: so few bytes are written to a pipe at once (POSIX, PIPE_BUF)."""
    while ends := os.read(pipe, _ID_BYTES * 256):
        for at in range(0, len(ends), _ID_BYTES):
            on_end(UUID(bytes=ends[at : at + _ID_BYTES]))
    os.close(pipe)
    on_death()


def _run_hub(settings: Settings, from_worker: socket.socket, ends: int) -> NoReturn:
    """Serve streams in the child process until the worker has ended, then exit."""
    code = 1
    try:
        _detach_from_worker()
        os.nice(_NICENESS)
        hub = Hub(Backends(settings, "flowforge-live"), partial(_report_end, ends))
        for request, chunked, connection in _receive(from_worker):
            hub.serve(request, connection, chunked=chunked)
        hub.close()
        code = 0
    except Exception:
        logger.exception("the hub of the live streams ends")
    finally:
        logging.shutdown()
        os._exit(code)


def _detach_from_worker() -> None:
    """Undo what came along with the fork: gunicorn's signal handlers, and the descriptor that wakes the worker."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGABRT, signal.SIG_DFL)
    for name in _IGNORED_SIGNALS:
        signal.signal(signal.Signals[name], signal.SIG_IGN)
    show_as("live")


def _report_end(pipe: int, viewer: UUID) -> None:
    try:
        os.write(pipe, viewer.bytes)
    except OSError:
        logger.debug("the worker has gone; the hub will see it")


def _receive(from_worker: socket.socket) -> Iterator[tuple[StreamRequest, bool, socket.socket]]:
    """Requests with their connections, until the worker closes its end.

    A descriptor comes with the first byte of its line, and both keep their order, however the bytes are cut.
    """
    unread, descriptors = b"", list[int]()
    while True:
        data, more, _, _ = socket.recv_fds(from_worker, 65536, _DESCRIPTORS_AT_ONCE)
        if not data:
            return
        descriptors += more
        *lines, unread = (unread + data).split(b"\n")
        for line in lines:
            request, chunked = _MESSAGE.validate_json(line)
            yield request, chunked, socket.socket(fileno=descriptors.pop(0))
