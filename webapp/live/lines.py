"""Log lines as server-sent events."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from flowforge import jsonio
from flowforge.execution.state import Status
from flowforge.live import entry_fields
from flowforge.logbook import LogEntry
from flowforge.logbook.cursor import Place, parse_cursor

_STATUS_AFTER = {"STARTED": Status.RUNNING} | {status.value: status for status in Status if status.terminal}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an execution's log. `status`: of the execution after it, where the line is about that."""

    cursor: str
    place: Place
    status: Status | None
    data: bytes

    @property
    def event(self) -> bytes:
        return b"id: %b\n%b" % (self.cursor.encode(), self.late_event)

    @property
    def late_event(self) -> bytes:
        """For a line that comes behind one that stands after it: a viewer who comes back goes on from that one."""
        return _event("log", self.data)


def stored_line(entry: LogEntry) -> Line:
    return _line(entry.cursor, entry_fields(entry))


def announced_line(announcement: bytes) -> Line:
    """Raises ValueError, KeyError or TypeError for what the log sink does not write (flowforge.live.entry_json)."""
    told = jsonio.loads(announcement)
    return _line(told["cursor"], told["entry"])


def status_event(status: Status | None) -> bytes:
    return _event("status", jsonio.dumps({"status": status}))


def end_event(status: Status | None) -> bytes:
    return _event("end", jsonio.dumps({"status": status}))


class Recent:
    """The places of the lines sent last, to tell a line that comes late from one that comes twice."""

    def __init__(self, before: Place | None, size: int = 1000) -> None:
        self._before = before  # up to here nothing is known, and everything counts as sent
        self._size = size
        self._order: deque[Place] = deque()
        self._known: set[Place] = set()

    def add(self, place: Place) -> None:
        self._order.append(place)
        self._known.add(place)
        if len(self._order) > self._size:
            oldest = self._order.popleft()
            self._known.discard(oldest)
            self._before = oldest if self._before is None else max(self._before, oldest)

    def __contains__(self, place: Place) -> bool:
        return place in self._known or (self._before is not None and place <= self._before)


def _line(cursor: str, fields: dict[str, Any]) -> Line:
    status = _STATUS_AFTER.get(fields["status"]) if fields["eventType"] == "EXECUTION" else None
    return Line(cursor, parse_cursor(cursor), status, jsonio.dumps(fields))


def _event(name: str, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
