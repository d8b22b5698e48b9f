"""Finding executions: filters, and pages that follow each other by key. No query's cost grows with history.

What an index answers (workflow, time, what has failed or was cancelled) is searched to the end. What none answers
(trigger type, text, other statuses: completed executions may be rare) is looked for in the next SCANNED executions; the
page says how far it got, and where to go on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from flowforge.db import like_patterns
from flowforge.db.executions_of import is_of
from flowforge.db.tables import ExecutionRow, Workflow
from flowforge.errors import Invalid
from flowforge.execution.state import Status
from flowforge.executions.views import SUMMARY_COLUMNS, ExecutionSummary
from flowforge.sentences import sentence
from flowforge.views import columns_of

SCANNED = 2_000
LONGEST_TEXT = 200
_TROUBLED = (Status.FAILED, Status.CANCELLED)
_OPEN = (Status.PENDING, Status.RUNNING)
_CURSOR = re.compile(r"([<>])(-?\d{1,17})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filter:
    """All optional; `since` is inclusive, `until` is not. `text` is looked for in payload, error and id."""

    workflow_id: UUID | None = None
    status: Status | None = None
    trigger_type: str | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def needs_scan(self) -> bool:
        has_index = self.status is None or self.status in _TROUBLED
        return bool(self.trigger_type or self.text) or not has_index


@dataclass(frozen=True, slots=True)
class Position:
    """A position between two executions of the list: with `older` the page goes down from it, else up."""

    created_at: datetime
    id: UUID
    older: bool = True

    @classmethod
    def parse(cls, text: str) -> Position:
        """Raises Invalid."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise Invalid.at("/cursor", sentence("is not a position in this list"))
        try:
            moment = _EPOCH + timedelta(microseconds=int(match[2]))
        except OverflowError as error:
            raise Invalid.at("/cursor", sentence("is not a position in this list")) from error
        return cls(moment, UUID(match[3]), match[1] == "<")

    def __str__(self) -> str:
        micros = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return f"{'<' if self.older else '>'}{micros}-{self.id}"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results. `newer` and `older` lead to the neighbouring pages; `searched_to` is set where a scan gave up
    before it had found a whole page."""

    rows: Sequence[ExecutionSummary]
    newer: Position | None
    older: Position | None
    searched_to: datetime | None = None


def search(
    session: Session,
    user_id: UUID,
    wanted: Filter,
    position: Position | None = None,
    *,
    size: int = 25,
    scanned: int = SCANNED,
    oldest_first: bool = False,
) -> Found:
    """Rows come without payload and outputs. At most two statements."""
    upwards = oldest_first if position is None else not position.older
    window = _order(_indexed(user_id, wanted, position), ExecutionRow, upwards)
    rows = _matching(session, window.limit(scanned) if wanted.needs_scan else window, wanted, upwards, size + 1)
    onward, given_up_at = None, None
    if len(rows) > size:
        rows = rows[:size]
        onward = Position(rows[-1].created_at, rows[-1].id, older=not upwards)
    elif wanted.needs_scan and (last := _last_scanned(session, window, scanned)):
        onward, given_up_at = Position(*last, older=not upwards), last[0]
    back = Position(rows[0].created_at, rows[0].id, older=upwards) if rows and position else None
    is_reading_on = upwards == oldest_first
    return Found(
        rows if is_reading_on else rows[::-1],
        newer=onward if upwards else back,
        older=back if upwards else onward,
        searched_to=given_up_at if is_reading_on else None,
    )


def _matching(
    session: Session, window: Select[Any], wanted: Filter, upwards: bool, size: int
) -> list[ExecutionSummary]:
    """Rows of the window that fit. They are read in its order, and no more of them than it takes."""
    if not wanted.needs_scan:
        return [ExecutionSummary(*row) for row in session.execute(window.limit(size))]
    row = aliased(ExecutionRow, window.with_only_columns(ExecutionRow).subquery())
    found = select(*columns_of(ExecutionSummary, row)).where(*_scanned(wanted, row))
    return [ExecutionSummary(*values) for values in session.execute(_order(found, row, upwards).limit(size))]


def _last_scanned(session: Session, window: Select[Any], scanned: int) -> tuple[datetime, UUID] | None:
    """The last execution that was looked at; None where the list ends before."""
    columns = window.with_only_columns(ExecutionRow.created_at, ExecutionRow.id)
    found = session.execute(columns.offset(scanned - 1).limit(1)).first()
    return (found.created_at, found.id) if found else None


def _indexed(user_id: UUID, wanted: Filter, position: Position | None) -> Select[Any]:
    found = select(*SUMMARY_COLUMNS).where(is_of(user_id, wanted.workflow_id))
    if wanted.status in _TROUBLED:
        found = found.where(ExecutionRow.status == wanted.status)
    elif wanted.status in _OPEN:
        found = found.where(ExecutionRow.status.in_(_OPEN))
    if wanted.since is not None:
        found = found.where(ExecutionRow.created_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(ExecutionRow.created_at < wanted.until)
    if position is not None:
        here = tuple_(ExecutionRow.created_at, ExecutionRow.id)
        there = tuple_(position.created_at, position.id)
        found = found.where(here < there if position.older else here > there)
    return found


def _scanned(wanted: Filter, row: type[ExecutionRow]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        conditions.append(row.status == wanted.status)
    if wanted.trigger_type:
        conditions.append(func.lower(row.trigger_type) == wanted.trigger_type.lower())
    if wanted.text:
        pattern = f"%{like_patterns.literal(wanted.text[:LONGEST_TEXT])}%"
        texts = (cast(column, Text) for column in (row.error, row.id, row.trigger_payload))
        conditions.append(or_(*(text.ilike(pattern, escape="\\") for text in texts)))
    return conditions


def _order(statement: Select[Any], row: type[ExecutionRow], upwards: bool) -> Select[Any]:
    columns = (row.created_at, row.id)
    return statement.order_by(*(columns if upwards else (column.desc() for column in columns)))


def workflow_names(session: Session, user_id: UUID, workflow_ids: set[UUID]) -> dict[UUID, str]:
    """Find the names of those workflows that still exist."""
    if not workflow_ids:
        return {}
    mine = select(Workflow.id, Workflow.name).where(Workflow.user_id == user_id, Workflow.id.in_(workflow_ids))
    return {row.id: row.name for row in session.execute(mine)}
