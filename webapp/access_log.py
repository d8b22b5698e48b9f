"""The access log: a line of JSON for each request, on the standard output, where ACCESS_LOG is set.

No secret can stand in it: it names the route, such as /webhook/<path:token>, and neither the path nor the query.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, Full, Queue

from flask import Flask, Response, g, request

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.settings import Settings
from webapp.context import known_account

MOST_WAITING = 10_000
"""Lines that wait while nobody reads the output; those beyond are dropped, and their number told."""
_AT_ONCE = 8
"""Lines that are written together: so many are no longer than what a pipe takes in one piece (PIPE_BUF, 4,096 bytes),
so that those of other processes do not come between."""

log = logging.getLogger(__name__)


def install(app: Flask, settings: Settings) -> None:
    """Comes before everything else that stands around requests, so that it sees the answer last."""
    if settings.access_log:
        writer = LineWriter(_write)
        app.before_request(_begin)
        app.after_request(lambda response: _note(response, writer))


class LineWriter:
    """Writes lines in a thread of its own: no request waits for whoever reads them. The thread begins with the first
    line, so that it is there in each process that was forked."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._lines: Queue[bytes] = Queue(MOST_WAITING)
        self._begun = threading.Lock()
        self._dropped = 0

    def add(self, line: bytes) -> None:
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._write_all, name="access-log", daemon=True).start()
            atexit.register(self._write_waiting)
        try:
            self._lines.put_nowait(line)
        except Full:
            self._dropped += 1

    def _write_all(self) -> None:
        while True:
            first = self._lines.get()
            self._write(b"".join([first, *self._waiting(_AT_ONCE - 1)]))
            self._tell_dropped()

    def _write_waiting(self) -> None:
        while lines := list(self._waiting(_AT_ONCE)):
            self._write(b"".join(lines))

    def _waiting(self, most: int) -> Iterator[bytes]:
        with suppress(Empty):
            for _ in range(most):
                yield self._lines.get_nowait()

    def _tell_dropped(self) -> None:
        if self._dropped:
            log.warning("%d lines of the access log were dropped: its output is read too slowly", self._dropped)
            self._dropped = 0


def _begin() -> None:
    g.began = time.perf_counter()


def _note(response: Response, writer: LineWriter) -> Response:
    writer.add(jsonio.dumps(_line(response)) + b"\n")
    return response


def _line(response: Response) -> JsonObject:
    """The duration is that of the answer's making, in milliseconds; a live stream goes on after it."""
    rule = request.url_rule
    return {
        "time": datetime.now(UTC),
        "requestId": response.headers.get("X-Request-Id"),
        "account": known_account(),
        "method": request.method,
        "route": rule.rule if rule else None,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        "address": request.remote_addr,
    }


def _write(lines: bytes) -> None:
    """Whole lines at a time, past the buffer of `sys.stdout`: other processes write to the same output."""
    os.write(sys.stdout.fileno(), lines)
