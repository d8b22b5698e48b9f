"""An execution's log, page by page, with a filter. What is looked through at once is bounded; the page says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flowforge import jsonio
from flowforge.logbook import LogEntry, LogStore

PAGE_SIZE = 100
SCANNED = 5_000
_CHUNK = PAGE_SIZE + 1
"""Enough to see whether there is another page. Lines may be large."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """`text` is looked for in everything a line says, without regard to case."""

    text: str = ""
    status: str = ""
    event_type: str = ""
    step: int | None = None

    def accepts(self, entry: LogEntry) -> bool:
        data = entry.data or {}
        return (
            (not self.status or entry.status == self.status)
            and (not self.event_type or entry.event_type == self.event_type)
            and (self.step is None or data.get("stepIndex") == self.step)
            and (not self.text or self.text.casefold() in jsonio.dumps(data).decode().casefold())
        )


@dataclass(frozen=True, slots=True)
class LogLines:
    """A page of log lines, oldest first. `after` begins the next page; None on the last one."""

    entries: Sequence[LogEntry]
    after: str | None


def search(
    logbook: LogStore,
    user_id: UUID,
    execution_id: UUID,
    wanted: LogFilter,
    after: str | None = None,
    *,
    scanned: int = SCANNED,
) -> LogLines:
    """Raises Unavailable, and Invalid for an `after` that is none."""
    found: list[LogEntry] = []
    looked_at = 0
    while looked_at < scanned:
        chunk = logbook.follow(user_id, execution_id, after, _CHUNK)
        for entry in chunk:
            looked_at += 1
            if wanted.accepts(entry):
                if len(found) == PAGE_SIZE:
                    return LogLines(found, found[-1].cursor)
                found.append(entry)
            after = entry.cursor
        if len(chunk) < _CHUNK:
            return LogLines(found, None)
    return LogLines(found, after)
