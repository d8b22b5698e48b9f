"""The log store: what both implementations promise. One contract suite (tests/logbook) runs against each of them.

Entries are the documents of the wire contract (contract.md, section 5). They are written once: appending an entry
whose `dedup_key` is already there changes nothing, so a redelivered message is logged once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from flowforge.jsonio import JsonObject
from flowforge.logbook.cursor import Position

COUNT_LIMIT = 10_000
"""Totals are counted up to here: no query's cost may grow with history."""

DATA_LIMIT_BYTES = 64 * 1024
"""The most data of a line. Of a longer message the line keeps what is not bulky."""

PAGE_BYTES = 8 * 1024 * 1024
"""The most data in one page, counted as text."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log. `id` is 24 hexadecimal digits; `timestamp` is when it was logged (ms are kept)."""

    id: str
    user_id: UUID | None
    workflow_id: UUID | None
    execution_id: UUID | None
    event_id: UUID | None
    event_type: str
    status: str
    data: JsonObject | None
    timestamp: datetime

    @property
    def cursor(self) -> str:
        """The cursor after this entry: entries are ordered by (timestamp, id)."""
        return f"{int(self.timestamp.timestamp() * 1000)}-{self.id}"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry about to be written; the store gives it its id and timestamp."""

    dedup_key: str
    user_id: UUID
    workflow_id: UUID | None
    execution_id: UUID | None
    event_id: UUID | None
    event_type: str
    status: str
    data: JsonObject


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Exact matches, all optional but the owner; `start` and `end` are inclusive."""

    user_id: UUID
    execution_id: UUID | None = None
    event_id: UUID | None = None
    workflow_id: UUID | None = None
    event_type: str | None = None
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    entries: tuple[LogEntry, ...]
    total: int
    """Matches, counted up to COUNT_LIMIT."""
    truncated: frozenset[str] = frozenset()
    """The ids of those that came without their data: they would not have fitted into the page."""


class LogStore(Protocol):
    """Safe to share between threads. Every method raises Unavailable when the store does not answer."""

    def append(self, entries: Sequence[NewEntry]) -> list[LogEntry]:
        """Write the batch in one round trip; returns those that were new, in (timestamp, id) order.

        The timestamps of one process never run backwards, and no two of its entries share (timestamp, id).
        """

    def missing(self, dedup_keys: Sequence[str]) -> set[str]:
        """Returns the keys under which nothing is written."""

    def find(
        self, query: LogQuery, *, page: int, size: int, newest_first: bool = True, most_bytes: int = PAGE_BYTES
    ) -> LogPage:
        """Data come along from the first entry on, as many as `most_bytes` of text hold; those of the first always do,
        so that a page of one has them whatever their size."""

    def follow(self, user_id: UUID, execution_id: UUID, after: str | None, limit: int) -> list[LogEntry]:
        """Entries of one execution behind cursor `after` (None: from its beginning), oldest first.

        Includes the TRIGGER entry of the execution's event only when it carries the execution's id.
        Raises Invalid for a cursor that is none.
        """

    def positions(self, user_id: UUID, execution_id: UUID, after: str | None, limit: int) -> list[Position]:
        """List the positions of the entries that `follow` would give: enough to see whether one is missing."""

    def prune(self, before: datetime, rows: int) -> int:
        """Delete at most so many older entries; returns how many (0 where the store expires them itself)."""

    def forget(self, user_id: UUID, rows: int) -> int:
        """Delete up to `rows` entries of that owner; returns how many."""

    def delete_of(self, user_id: UUID, execution_ids: Sequence[UUID], dedup_keys: Sequence[str] = ()) -> None:
        """Delete the entries of that owner's executions, and those that were written under the keys."""

    def ping(self) -> None: ...

    def close(self) -> None: ...
