"""The hub in a process of its own, forked from a worker of the web server.

In one process, requests and streams would take the interpreter from each other: every line to every viewer gives it
away once (docs/decisions/0012-web-server.md). Connections go there over a pair of sockets, each with a line of JSON;
a byte comes back through a pipe for each stream that has ended. When one of the two processes ends, so does the
other.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

import psutil
from pydantic import TypeAdapter

from flowforge.process_name import show_as
from flowforge.settings import Settings
from flowforge.wiring import Backends
from webapp.live.hub import Hub
from webapp.live.stream import Asked

logger = logging.getLogger(__name__)

_TAKES_NOTHING_SECONDS = 5.0
_ENDS_WITHIN_SECONDS = 1.0
_AT_ONCE = 64
_AFTER_REQUESTS = 5
"""Where processors are scarce, callers of webhooks come before eyes."""
_HANDED_OVER = TypeAdapter(tuple[Asked, bool])
"""What goes with a connection: who watches what, and whether the answer is chunked."""
_NOT_MEANT_FOR_IT = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")
"""They reach the whole group; the hub ends with its worker."""


class HubProcess:
    """`ended` is called for each stream that has ended, `died` when the process has; both in a thread of its own.

    Fork before any thread is started. `foreign`: descriptors that the hub must not keep open.
    """

    def __init__(
        self, settings: Settings, ended: Callable[[], None], died: Callable[[], None], foreign: Sequence[int] = ()
    ) -> None:
        self._hand_over, handed_over = socket.socketpair()
        told, tell = os.pipe()
        pid = os.fork()
        if not pid:
            self._hand_over.close()
            for descriptor in (told, *foreign):
                os.close(descriptor)
            _be_the_hub(settings, handed_over, tell)
        handed_over.close()
        os.close(tell)
        self._process = psutil.Process(pid)
        self._hand_over.settimeout(_TAKES_NOTHING_SECONDS)
        self._one_line = threading.Lock()
        self._ended = ended
        threading.Thread(target=_hear, args=(told, ended, died), name="live-ends", daemon=True).start()

    def serve(self, asked: Asked, connection: socket.socket, *, chunked: bool) -> None:
        """Raises OSError when the hub takes nothing: the stream has ended then."""
        line = _HANDED_OVER.dump_json((asked, chunked)) + b"\n"
        try:
            with connection, self._one_line:
                sent = socket.send_fds(self._hand_over, [line], [connection.fileno()])
                self._hand_over.sendall(line[sent:])
        except OSError:
            self._ended()
            raise

    def close(self) -> None:
        """Ends the process, and its streams. Returns when it is gone."""
        self._hand_over.close()
        try:
            self._process.wait(_ENDS_WITHIN_SECONDS)
        except psutil.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _hear(told: int, ended: Callable[[], None], died: Callable[[], None]) -> None:
    while ends := os.read(told, 4096):
        for _ in ends:
            ended()
    os.close(told)
    died()


def _be_the_hub(settings: Settings, handed_over: socket.socket, tell: int) -> NoReturn:
    """Until the worker has ended."""
    code = 1
    try:
        _become_nobodys_worker()
        os.nice(_AFTER_REQUESTS)
        backends = Backends(settings, "flowforge-live")
        hub = Hub(backends, lambda: _tell(tell))
        for asked, chunked, connection in _requests(handed_over):
            hub.serve(asked, connection, chunked=chunked)
        hub.close()
        code = 0
    except Exception:
        logger.exception("the hub of the live streams ends")
    finally:
        logging.shutdown()
        os._exit(code)


def _become_nobodys_worker() -> None:
    """Gunicorn's handlers came along with the fork, and what they write to wakes the worker."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGABRT, signal.SIG_DFL)
    for name in _NOT_MEANT_FOR_IT:
        signal.signal(signal.Signals[name], signal.SIG_IGN)
    show_as("live")


def _tell(pipe: int) -> None:
    try:
        os.write(pipe, b".")
    except OSError:
        logger.debug("the worker has gone; the hub will see it")


def _requests(handed_over: socket.socket) -> Iterator[tuple[Asked, bool, socket.socket]]:
    """A descriptor comes with the first byte of its line; they keep their order, however the bytes are cut."""
    unread, descriptors = b"", list[int]()
    while True:
        data, more, _, _ = socket.recv_fds(handed_over, 65536, _AT_ONCE)
        if not data:
            return
        descriptors += more
        *lines, unread = (unread + data).split(b"\n")
        for line in lines:
            asked, chunked = _HANDED_OVER.validate_json(line)
            yield asked, chunked, socket.socket(fileno=descriptors.pop(0))
