"""`GET /api/v1/executions/{id}/live`: an execution's log as server-sent events, from the beginning to its end.

What is stored behind `Last-Event-ID` comes first, then what happens. Subscribing comes before reading, so nothing falls
between the two; what comes twice is dropped by its cursor.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from sqlalchemy import select

from flowforge import jsonio
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import ExecutionRow
from flowforge.execution.state import Status
from flowforge.live import entry_fields
from flowforge.logbook import LogEntry
from flowforge.logbook.cursor import parse_cursor
from flowforge.operations import executions
from flowforge.wiring import Backends
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in
from webapp.live.fan_out import FanOut, Viewer, fan_out

blueprint = Blueprint("live", __name__)

HEARTBEAT_SECONDS = 10.0
_CHECK_SECONDS = 2.0
_REPLAY_AT_ONCE = 500
_LAST_LINES_SECONDS = 3.0
"""How long the terminal log line may come behind the terminal state."""


@blueprint.get("/api/v1/executions/<uuid:execution_id>/live")
@signed_in
def live(execution_id: UUID) -> Response:
    """Follow an execution: events `log`, `status`, `end`"""
    after = request.headers.get("Last-Event-ID") or request.args.get("lastEventId") or None
    if after is not None:
        parse_cursor(after)
    user_id = current_user_id()
    executions.get(session(), user_id, execution_id)
    session().close()
    hub = fan_out(current_app.extensions, backends())
    stream = _Stream(backends(), hub, user_id, execution_id, after)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(stream.events(), mimetype="text/event-stream", headers=headers)


class _Stream:
    """One viewer's stream."""

    def __init__(self, backends: Backends, hub: FanOut, user_id: UUID, execution_id: UUID, after: str | None) -> None:
        self._backends = backends
        self._hub = hub
        self._user_id = user_id
        self._execution_id = execution_id
        self._after = after
        self._viewer = hub.watch(execution_id)
        self._status: str | None = None

    def events(self) -> Iterator[bytes]:
        try:
            yield from self._replay()
            while not self._over():
                yield from self._changed_status()
                yield from self._wait(self._viewer)
            yield from self._last_lines()
            yield from self._changed_status()
            yield _event("end", {"status": self._status})
        finally:
            self._hub.leave(self._viewer)

    def _wait(self, viewer: Viewer) -> Iterator[bytes]:
        """Until something is announced; now and then looks itself, for an announcement may be lost."""
        try:
            viewer.next(_CHECK_SECONDS)
        except queue.Empty:
            yield b": still here\n\n"
        yield from self._replay()

    def _last_lines(self) -> Iterator[bytes]:
        deadline = time.monotonic() + _LAST_LINES_SECONDS
        while True:
            for entry in self._stored():
                yield _log(entry)
                if entry.event_type == "EXECUTION" and entry.status in set(Status):
                    return
            if self._seen_end() or time.monotonic() > deadline:
                return
            try:
                self._viewer.next(0.2)
            except queue.Empty:
                continue

    def _replay(self) -> Iterator[bytes]:
        for entry in self._stored():
            yield _log(entry)

    def _stored(self) -> Iterator[LogEntry]:
        while True:
            entries = self._backends.logbook.follow(self._user_id, self._execution_id, self._after, _REPLAY_AT_ONCE)
            for entry in entries:
                self._after = entry.cursor
                self._last = entry
                yield entry
            if len(entries) < _REPLAY_AT_ONCE:
                return

    _last: LogEntry | None = None

    def _seen_end(self) -> bool:
        return self._last is not None and self._last.event_type == "EXECUTION" and self._last.status in set(Status)

    def _over(self) -> bool:
        with unavailable_when_down(), self._backends.engine.connect() as connection:
            status = connection.execute(
                select(ExecutionRow.status).where(ExecutionRow.id == self._execution_id)
            ).scalar()
        self._latest = str(status)
        return status is None or Status(status).terminal

    _latest: str = ""

    def _changed_status(self) -> Iterator[bytes]:
        if self._latest != self._status:
            self._status = self._latest
            yield _event("status", {"status": self._status})


def _log(entry: LogEntry) -> bytes:
    return _event("log", entry_fields(entry), entry.cursor)


def _event(name: str, data: object, id_: str | None = None) -> bytes:
    head = f"id: {id_}\n" if id_ else ""
    return f"{head}event: {name}\ndata: ".encode() + jsonio.dumps(data) + b"\n\n"
