"""The log in PostgreSQL: the default where no MongoDB is configured."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, Text, case, cast, delete, func, select, tuple_
from sqlalchemy.engine import RowMapping
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from flowforge import jsonio
from flowforge.db.autocommit import run_alone
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import LogEntryRow
from flowforge.jsonio import JsonObject
from flowforge.logbook.clock import LogClock
from flowforge.logbook.cursor import Position, parse_cursor
from flowforge.logbook.packed_data import pack, unpack
from flowforge.logbook.port import COUNT_LIMIT, PAGE_BYTES, LogEntry, LogPage, LogQuery, NewEntry
from flowforge.logbook.repeated_ids import leave_out, put_back

_LOG = LogEntryRow.__table__.c
_FIELDS = {field.name for field in fields(LogEntry)}
_DATA = ("data", "packed")
"""Columns; a line has its data in one of them."""

_INSERT = """
    INSERT INTO logbook.execution_logs (id, dedup_key, user_id, workflow_id, execution_id, event_id, event_type, status,
                                        timestamp, repeated_ids, data, packed)
    SELECT id, dedup_key, user_id, workflow_id, execution_id, event_id, event_type, status, %(moment)s::timestamptz,
           repeated_ids, data, decode(packed, 'base64')
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
        id varchar, dedup_key text, user_id uuid, workflow_id uuid, execution_id uuid, event_id uuid, event_type text,
        status text, repeated_ids smallint, data jsonb, packed text)
    ON CONFLICT DO NOTHING RETURNING id
"""


class PostgresLogStore:
    """See flowforge.logbook.port. The engine belongs to the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._clock = LogClock()

    def append(self, entries: Sequence[NewEntry]) -> list[LogEntry]:
        if not entries:
            return []
        ids, moment = self._clock.stamp(len(entries))
        stamped = list(zip(entries, ids, strict=True))
        rows = jsonio.dumps_for_database([_row(entry, id_) for entry, id_ in stamped])
        with unavailable_when_down():
            new = {row[0] for row in run_alone(self._engine, _INSERT, {"rows": rows, "moment": moment})}
        return [_entry_of(entry, id_, moment) for entry, id_ in stamped if id_ in new]

    def missing(self, dedup_keys: Sequence[str]) -> set[str]:
        with unavailable_when_down(), self._engine.connect() as connection:
            rows = connection.exec_driver_sql(
                """
                SELECT k.key FROM unnest(%(keys)s::text[], %(stored)s::text[]) AS k(key, stored)
                WHERE NOT EXISTS (SELECT FROM logbook.execution_logs l WHERE l.dedup_key IN (k.key, k.stored))
                """,
                {"keys": list(dedup_keys), "stored": [_stored(key) for key in dedup_keys]},
            )
            return {row[0] for row in rows}

    def find(
        self, query: LogQuery, *, page: int, size: int, newest_first: bool = True, most_bytes: int = PAGE_BYTES
    ) -> LogPage:
        conditions = _conditions(query)
        counted = select(func.count()).select_from(select(1).where(*conditions).limit(COUNT_LIMIT).subquery())
        entries = select(LogEntryRow.__table__).where(*conditions).offset(page * size).limit(size)
        with unavailable_when_down(), self._engine.connect() as connection:
            rows = connection.execute(_within(entries, newest_first, most_bytes)).mappings().all()
            total = connection.execute(counted).scalar_one()
        truncated = frozenset(row["id"] for row in rows if row["truncated"])
        return LogPage(tuple(_entry(row) for row in rows), total, truncated)

    def follow(self, user_id: UUID, execution_id: UUID, after: str | None, limit: int) -> list[LogEntry]:
        statement = _behind(select(LogEntryRow.__table__), user_id, execution_id, after).limit(limit)
        with unavailable_when_down(), self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(statement).mappings()]

    def positions(self, user_id: UUID, execution_id: UUID, after: str | None, limit: int) -> list[Position]:
        statement = _behind(select(_LOG.timestamp, _LOG.id), user_id, execution_id, after).limit(limit)
        with unavailable_when_down(), self._engine.connect() as connection:
            return [(moment, id_) for moment, id_ in connection.execute(statement)]

    def prune(self, before: datetime, rows: int) -> int:
        old = select(_LOG.dedup_key).where(_LOG.timestamp < before).order_by(_LOG.timestamp).limit(rows)
        with unavailable_when_down(), self._engine.begin() as connection:
            return connection.execute(delete(LogEntryRow).where(_LOG.dedup_key.in_(old))).rowcount

    def forget(self, user_id: UUID, rows: int) -> int:
        theirs = select(_LOG.dedup_key).where(_LOG.user_id == user_id).limit(rows)
        with unavailable_when_down(), self._engine.begin() as connection:
            return connection.execute(delete(LogEntryRow).where(_LOG.dedup_key.in_(theirs))).rowcount

    def delete_of(self, user_id: UUID, execution_ids: Sequence[UUID], dedup_keys: Sequence[str] = ()) -> None:
        keys = [form for key in dedup_keys for form in (key, _stored(key))]
        with unavailable_when_down(), self._engine.begin() as connection:
            for found in (_LOG.execution_id.in_(execution_ids), _LOG.dedup_key.in_(keys)):  # an index for each
                connection.execute(delete(LogEntryRow).where(_LOG.user_id == user_id, found))

    def ping(self) -> None:
        with unavailable_when_down(), self._engine.connect() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close nothing: the engine belongs to the caller."""


def _behind(statement: Select[Any], user_id: UUID, execution_id: UUID, after: str | None) -> Select[Any]:
    statement = statement.where(_LOG.execution_id == execution_id, _LOG.user_id == user_id)
    if after is not None:
        statement = statement.where(tuple_(_LOG.timestamp, _LOG.id) > tuple_(*parse_cursor(after)))
    return statement.order_by(_LOG.timestamp, _LOG.id)


def _within(entries: Select[Any], newest_first: bool, most_bytes: int) -> Select[Any]:
    """Selects the entries in order, with data from the first on, as long as these are no more than that together."""

    def order(of: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[Any]]:
        return [column.desc() if newest_first else column for column in (of.timestamp, of.id)]

    page = entries.order_by(*order(_LOG)).subquery()
    size = _text_bytes(page.c)
    behind = func.coalesce(func.sum(size).over(order_by=order(page.c), rows=(None, -1)), 0)
    cut = (behind > 0) & (behind + size > most_bytes)
    kept = [column for column in page.c if column.name not in _DATA]
    data = [case((~cut, page.c[name])).label(name) for name in _DATA]
    return select(*kept, *data, cut.label("truncated")).order_by(*order(page.c))


def _text_bytes(of: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[int]:
    """Bytes of a line's data as text; those that are packed say it (flowforge.logbook.packed_data)."""
    packed = func.get_byte(of.packed, 1) * 256 + func.get_byte(of.packed, 2)
    return func.coalesce(packed, func.octet_length(cast(of.data, Text)))


def _conditions(query: LogQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_LOG.user_id == query.user_id]
    exact = {
        _LOG.execution_id: query.execution_id,
        _LOG.event_id: query.event_id,
        _LOG.workflow_id: query.workflow_id,
        _LOG.event_type: query.event_type,
        _LOG.status: query.status,
    }
    conditions += [column == value for column, value in exact.items() if value is not None]
    if query.start is not None:
        conditions.append(_LOG.timestamp >= query.start)
    if query.end is not None:
        conditions.append(_LOG.timestamp <= query.end)
    return conditions


def _row(entry: NewEntry, id_: str) -> JsonObject:
    row: JsonObject = {
        "id": id_,
        "dedup_key": _stored(entry.dedup_key),
        "user_id": entry.user_id,
        "workflow_id": entry.workflow_id,
        "execution_id": entry.execution_id,
        "event_id": entry.event_id,
        "event_type": entry.event_type,
        "status": entry.status,
    }
    data, row["repeated_ids"] = leave_out(entry.data, row)
    packed = pack(data)
    if packed is None:
        row["data"] = data
    else:
        row["packed"] = b64encode(packed).decode()
    return row


def _stored(dedup_key: str) -> str:
    """Returns the key as it is stored: 22 characters in place of about 50, in each row and in the index.

    The first eight are those of the id that the key names, its time to a minute: new lines have their entries side by
    side, in few pages of an index that may be large. The others are of the key's SHA-256. Releases before stored the
    key as it is.
    """
    time_of_id = dedup_key.partition(":")[2][:8]
    digest = urlsafe_b64encode(sha256(dedup_key.encode()).digest()[:16]).decode().rstrip("=")
    return time_of_id + digest[: len(digest) - len(time_of_id)]


def _entry_of(entry: NewEntry, id_: str, moment: datetime) -> LogEntry:
    return LogEntry(
        id_,
        entry.user_id,
        entry.workflow_id,
        entry.execution_id,
        entry.event_id,
        entry.event_type,
        entry.status,
        entry.data,
        moment,
    )


def _entry(row: RowMapping) -> LogEntry:
    fields_of_row = {name: value for name, value in row.items() if name in _FIELDS}
    data = row["data"] if row["packed"] is None else unpack(row["packed"])
    if data is not None and row["repeated_ids"]:
        data = put_back(data, row["repeated_ids"], fields_of_row)
    return LogEntry(**fields_of_row | {"data": data})
