"""Lines of an execution's log as server-sent events."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from flowforge import jsonio
from flowforge.execution.state import Status
from flowforge.jsonio import JsonObject
from flowforge.live import entry_fields
from flowforge.logbook import LogEntry
from flowforge.logbook.cursor import Position, parse_cursor

_STATUS_AFTER = {"STARTED": Status.RUNNING} | {status.value: status for status in Status if status.terminal}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an execution's log; `status` is the execution's after it, if the line carries one."""

    cursor: str
    position: Position
    status: Status | None
    data: bytes

    @property
    def event(self) -> bytes:
        """The event of a line that comes in order: a viewer that reconnects goes on behind it."""
        return b"id: %b\n%b" % (self.cursor.encode(), self.late_event)

    @property
    def late_event(self) -> bytes:
        """The event of a line that comes after a later one, from which a viewer that reconnects has to go on."""
        return _event("log", self.data)


@dataclass(frozen=True, slots=True)
class Draft:
    """The end of what a step has written so far; `step` names the step, its frame and its attempt."""

    step: tuple[int, int, int]
    data: bytes

    @property
    def event(self) -> bytes:
        """An event without an id: nobody goes on behind it."""
        return _event("draft", self.data)


def stored_line(entry: LogEntry) -> Line:
    return _line(entry.cursor, entry_fields(entry))


def announced(announcement: bytes) -> Line | Draft:
    """Read an announcement; ValueError, KeyError or TypeError unless it is one of flowforge.live."""
    fields = jsonio.loads(announcement)
    if "draft" in fields:
        return _draft(fields["draft"])
    return _line(fields["cursor"], fields["entry"])


def status_event(status: Status | None) -> bytes:
    return _event("status", jsonio.dumps({"status": status}))


def end_event(status: Status | None) -> bytes:
    return _event("end", jsonio.dumps({"status": status}))


class SentPositions:
    """Positions in the log of the lines sent last, to tell a late line from a repeated one."""

    def __init__(self, before: Position | None, size: int = 1000) -> None:
        self._before = before  # nothing is remembered up to here, so that every line counts as sent
        self._size = size
        self._order: deque[Position] = deque()
        self._positions: set[Position] = set()

    def add(self, position: Position) -> None:
        self._order.append(position)
        self._positions.add(position)
        if len(self._order) > self._size:
            oldest = self._order.popleft()
            self._positions.discard(oldest)
            self._before = oldest if self._before is None else max(self._before, oldest)

    def __contains__(self, position: Position) -> bool:
        return position in self._positions or (self._before is not None and position <= self._before)


def _line(cursor: str, fields: JsonObject) -> Line:
    status = _STATUS_AFTER.get(fields["status"]) if fields["eventType"] == "EXECUTION" else None
    return Line(cursor, parse_cursor(cursor), status, jsonio.dumps(fields))


def _draft(fields: JsonObject) -> Draft:
    return Draft((fields["stepIndex"], fields["iteration"], fields["attempt"]), jsonio.dumps(fields))


def _event(name: str, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
