"""Finding executions: filters, and pages that follow each other by key. No query's cost grows with history.

What an index answers (workflow, status, time) is searched to the end. What none answers (trigger type, text) is looked
for in the next SCANNED executions; the page says how far it got, and where to go on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from flowforge.db import like_patterns
from flowforge.db.tables import ExecutionRow, Workflow
from flowforge.errors import Invalid
from flowforge.execution.state import Status
from flowforge.executions.views import SUMMARY_COLUMNS, ExecutionSummary

SCANNED = 2_000
LONGEST_TEXT = 200
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
        return bool(self.trigger_type or self.text)


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
            raise Invalid.at("/cursor", "is not a position in this list")
        try:
            moment = _EPOCH + timedelta(microseconds=int(match[2]))
        except OverflowError as error:
            raise Invalid.at("/cursor", "is not a position in this list") from error
        return cls(moment, UUID(match[3]), match[1] == "<")

    def __str__(self) -> str:
        micros = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return f"{'<' if self.older else '>'}{micros}-{self.id}"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results, newest first. `newer` and `older` lead to the neighbouring pages; `searched_to` is set where a
    scan gave up."""

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
    """Rows come without payload and outputs. At most two statements. `oldest_first` counts where an index answers the
    filter."""
    oldest_first = oldest_first and not wanted.needs_scan
    found = _search(session, user_id, wanted, position, size, scanned, oldest_first)
    return replace(found, rows=found.rows[::-1]) if oldest_first else found


def _search(
    session: Session,
    user_id: UUID,
    wanted: Filter,
    position: Position | None,
    size: int,
    scanned: int,
    from_oldest: bool,
) -> Found:
    backwards = from_oldest if position is None else not position.older
    window = _order(_indexed(user_id, wanted, position), backwards)
    if not wanted.needs_scan:
        plain = _summaries(session, window.limit(size + 1))
        more, plain = len(plain) > size, plain[:size]
        return _found(plain, backwards, position, more)
    ids = window.with_only_columns(ExecutionRow.id).limit(scanned).subquery()
    matching = select(*SUMMARY_COLUMNS).where(ExecutionRow.id.in_(select(ids.c.id)), *_scanned(wanted))
    rows = _summaries(session, _order(matching, backwards).limit(size + 1))
    if len(rows) > size:
        return _found(rows[:size], backwards, position, True)
    end = session.execute(
        window.with_only_columns(ExecutionRow.created_at, ExecutionRow.id).offset(scanned - 1).limit(1)
    ).first()
    if end is None or backwards:
        return _found(rows, backwards, position, False)
    newer = Position(rows[0].created_at, rows[0].id, older=False) if rows and position else None
    return Found(rows, newer, Position(end.created_at, end.id), end.created_at)


def _indexed(user_id: UUID, wanted: Filter, position: Position | None) -> Select[Any]:
    found = select(*SUMMARY_COLUMNS).where(ExecutionRow.user_id == user_id)
    if wanted.workflow_id is not None:
        found = found.where(ExecutionRow.workflow_id == wanted.workflow_id)
    if wanted.status:
        found = found.where(ExecutionRow.status == wanted.status)
    if wanted.since is not None:
        found = found.where(ExecutionRow.created_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(ExecutionRow.created_at < wanted.until)
    if position is not None:
        here = tuple_(ExecutionRow.created_at, ExecutionRow.id)
        there = tuple_(position.created_at, position.id)
        found = found.where(here < there if position.older else here > there)
    return found


def _scanned(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.trigger_type:
        conditions.append(func.lower(ExecutionRow.trigger_type) == wanted.trigger_type.lower())
    if wanted.text:
        pattern = f"%{like_patterns.literal(wanted.text[:LONGEST_TEXT])}%"
        conditions.append(
            or_(
                *(
                    cast(column, Text).ilike(pattern, escape="\\")
                    for column in (ExecutionRow.error, ExecutionRow.id, ExecutionRow.trigger_payload)
                )
            )
        )
    return conditions


def _order(statement: Select[Any], backwards: bool) -> Select[Any]:
    columns = (ExecutionRow.created_at, ExecutionRow.id)
    return statement.order_by(*(columns if backwards else (column.desc() for column in columns)))


def _summaries(session: Session, wanted: Select[Any]) -> list[ExecutionSummary]:
    return [ExecutionSummary(*row) for row in session.execute(wanted)]


def _found(rows: list[ExecutionSummary], backwards: bool, position: Position | None, more: bool) -> Found:
    if backwards:
        rows = rows[::-1]
    has_newer, has_older = (more, position is not None) if backwards else (position is not None, more)
    return Found(
        rows,
        Position(rows[0].created_at, rows[0].id, older=False) if rows and has_newer else None,
        Position(rows[-1].created_at, rows[-1].id) if rows and has_older else None,
    )


def workflow_names(session: Session, user_id: UUID, workflow_ids: set[UUID]) -> dict[UUID, str]:
    """Find the names of those workflows that still exist."""
    if not workflow_ids:
        return {}
    mine = select(Workflow.id, Workflow.name).where(Workflow.user_id == user_id, Workflow.id.in_(workflow_ids))
    return {row.id: row.name for row in session.execute(mine)}
