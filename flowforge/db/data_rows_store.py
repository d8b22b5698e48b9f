"""Rows of data tables: reading them by conditions, and writing them.

Equality, of whatever column, is found by one index on the values; any other condition, and sorting, looks at all rows
of the table, which PostgreSQL may do for SECONDS. Rows that have expired are never seen. The caller owns the
transaction, and who writes holds the table's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from flowforge import jsonio
from flowforge.data_tables.conditions import Condition, Operator, Position, Query, Selection
from flowforge.data_tables.shape import StoredValues
from flowforge.jsonio import JsonObject

SECONDS = 5
"""The time in which a page of rows has to be found."""
_IS_ALIVE = "(r.expires_at IS NULL OR r.expires_at > now())"
_ROW = "r.id, r.data, r.created_at, r.updated_at, r.expires_at, r.size"


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row. `data`: its values by the ids of their columns."""

    id: UUID
    data: JsonObject
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    size: int
    """Bytes of its values."""


@dataclass(frozen=True, slots=True)
class NewRow:
    id: UUID
    values: StoredValues
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a row that exists: values for some columns, and when it expires (None: as it was)."""

    id: UUID
    values: StoredValues
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next`: where the next page begins; None where this is the last."""

    rows: Sequence[StoredRow]
    next: Position | None


def limit_time(connection: Connection, seconds: int = SECONDS) -> None:
    """Bounds each statement of the transaction."""
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {seconds * 1000}")


def find(connection: Connection, table_id: UUID, query: Query) -> Page:
    """A page of rows, as many as the query allows in rows and bytes."""
    parameters: dict[str, Any] = {"table": table_id, "rows": query.limit + 1, "bytes": query.most_bytes}
    sort = "NULL" if query.sort is None else f"coalesce(r.data->'{query.sort.id}', 'null')"
    direction = "DESC" if query.descending else "ASC"
    order = "r.id" if query.sort is None else f"{sort} {direction}, r.id"
    where = [_where(table_id, query.selection, parameters)]
    if query.after is not None:
        where.append(_behind(query, sort, parameters))
    found = connection.execute(
        text(f"""
        WITH found AS (
            SELECT {_ROW}, row_number() OVER (ORDER BY {order} {direction}) AS place
              FROM (SELECT * FROM data_tables.rows r WHERE {" AND ".join(where)}
                     ORDER BY {order} {direction} LIMIT :rows) AS r
        ), measured AS (SELECT *, sum(size) OVER (ORDER BY place) AS together FROM found)
        SELECT id, data, created_at, updated_at, expires_at, size, (SELECT count(*) FROM found) AS found FROM measured
         WHERE place < :rows AND (together <= :bytes OR place = 1) ORDER BY place
        """),  # noqa: S608  (built of ids of columns, which are ours)
        parameters,
    ).all()
    rows = [StoredRow(*row[:6]) for row in found]
    is_more = bool(found) and found[0].found > len(rows)
    return Page(rows, _position(query, rows[-1]) if is_more else None)


def ids(connection: Connection, table_id: UUID, selection: Selection, most: int) -> list[UUID]:
    """The ids of rows, at most so many."""
    parameters: dict[str, Any] = {"rows": most}
    where = _where(table_id, selection, parameters)
    wanted = f"SELECT r.id FROM data_tables.rows r WHERE {where} LIMIT :rows"  # noqa: S608  (as above)
    return list(connection.scalars(text(wanted), parameters))


def count(connection: Connection, table_id: UUID, selection: Selection) -> int:
    parameters: dict[str, Any] = {}
    where = _where(table_id, selection, parameters)
    return connection.scalar(text(f"SELECT count(*) FROM data_tables.rows r WHERE {where}"), parameters) or 0  # noqa: S608


def by_keys(connection: Connection, table_id: UUID, keys: Collection[str]) -> dict[str, StoredRow]:
    """The rows that are known by these keys, by key."""
    return {row.key: StoredRow(*row[1:]) for row in _among(connection, "r.key", "text[]", table_id, list(keys))}


def by_ids(connection: Connection, table_id: UUID, wanted: Collection[UUID]) -> dict[UUID, StoredRow]:
    """The rows with these ids, by id."""
    rows = _among(connection, "r.id", "uuid[]", table_id, [str(id_) for id_ in wanted])
    return {row.id: StoredRow(*row[1:]) for row in rows}


def add(connection: Connection, table_id: UUID, rows: Sequence[NewRow]) -> list[int]:
    """Adds rows whose keys are free; returns how many bytes each has."""
    return list(
        connection.scalars(
            text("""
            INSERT INTO data_tables.rows (table_id, id, key, data, expires_at)
            SELECT :table, n.id, n.key, n.data, n.expires_at
              FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n(id uuid, key text, data jsonb, expires_at timestamptz)
            RETURNING size
            """),
            {"table": table_id, "rows": jsonio.dumps_for_database([_as_json(row) for row in rows])},
        )
    )


def change(connection: Connection, table_id: UUID, changes: Sequence[Change]) -> list[int]:
    """Changes rows; returns how many bytes each has now."""
    after = connection.scalars(
        text("""
        UPDATE data_tables.rows r
           SET data = jsonb_strip_nulls(r.data || n.data), key = coalesce(n.key, r.key), updated_at = now(),
               expires_at = coalesce(n.expires_at, r.expires_at)
          FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n(id uuid, key text, data jsonb, expires_at timestamptz)
         WHERE r.table_id = :table AND r.id = n.id
        RETURNING r.size
        """),
        {"table": table_id, "rows": jsonio.dumps_for_database([_as_json(each) for each in changes])},
    )
    return list(after)


def increment(connection: Connection, table_id: UUID, row: StoredRow, column_id: str, amount: float) -> tuple[Any, int]:
    """Adds to a number, exactly; returns what there is then, and how many bytes the row has more."""
    changed = connection.execute(
        text("""
        UPDATE data_tables.rows r
           SET data = jsonb_set(r.data, ARRAY[:column], to_jsonb(
                   coalesce(CAST(r.data->>:column AS numeric), 0) + CAST(:amount AS numeric))), updated_at = now()
         WHERE r.table_id = :table AND r.id = :id
        RETURNING r.data->:column, r.size
        """),
        {"table": table_id, "id": row.id, "column": column_id, "amount": jsonio.dumps(amount).decode()},
    ).one()
    return changed[0], changed[1] - row.size


def delete(connection: Connection, table_id: UUID, wanted: Collection[UUID]) -> tuple[int, int]:
    """Deletes rows; returns how many, and their bytes."""
    return _delete(connection, "r.id = ANY(CAST(:wanted AS uuid[]))", table_id, [str(id_) for id_ in wanted])


def delete_expired(connection: Connection, table_id: UUID, keys: Collection[str]) -> tuple[int, int]:
    """Deletes rows that have expired and still hold these keys; returns how many, and their bytes."""
    have_expired = "r.key = ANY(CAST(:wanted AS text[])) AND r.expires_at <= now()"
    return _delete(connection, have_expired, table_id, list(keys))


def total_size(connection: Connection, table_id: UUID, wanted: Sequence[UUID]) -> int:
    """Bytes of rows together."""
    of_these = "SELECT sum(size) FROM data_tables.rows WHERE table_id = :table AND id = ANY(CAST(:ids AS uuid[]))"
    return connection.scalar(text(of_these), {"table": table_id, "ids": [str(id_) for id_ in wanted]}) or 0


def answer_to(connection: Connection, execution_id: UUID, call: str) -> str | None:
    """The answer to a write that was done already, as JSON; None where it was not."""
    known = "SELECT answer FROM data_tables.writes WHERE execution_id = :execution AND call = :call"
    answer: str | None = connection.scalar(text(known), {"execution": execution_id, "call": call})
    return answer


def note_answer(connection: Connection, execution_id: UUID, call: str, answer: str) -> None:
    noted = "INSERT INTO data_tables.writes (execution_id, call, answer) VALUES (:execution, :call, :answer)"
    connection.execute(text(noted), {"execution": execution_id, "call": call, "answer": answer})


def _among(connection: Connection, column: str, type_: str, table_id: UUID, wanted: Sequence[str]) -> Iterator[Any]:
    """Rows by their keys or ids: first the key, then what makes a row."""
    yield from connection.execute(
        text(f"""
        SELECT r.key, {_ROW} FROM data_tables.rows r
         WHERE r.table_id = :table AND {column} = ANY(CAST(:wanted AS {type_})) AND {_IS_ALIVE}
        """),  # noqa: S608  (two of ours)
        {"table": table_id, "wanted": wanted},
    )


def _delete(connection: Connection, which: str, table_id: UUID, wanted: Sequence[str]) -> tuple[int, int]:
    gone = f"DELETE FROM data_tables.rows r WHERE r.table_id = :table AND {which} RETURNING size"  # noqa: S608  (as above)
    sizes = list(connection.scalars(text(gone), {"table": table_id, "wanted": wanted}))
    return len(sizes), sum(sizes)


def _as_json(row: NewRow | Change) -> Mapping[str, Any]:
    values = row.values
    return {"id": row.id, "key": values.key, "data": values.data, "expires_at": row.expires_at}


def _position(query: Query, last: StoredRow) -> Position:
    return Position(None if query.sort is None else last.data.get(query.sort.id), last.id)


def _behind(query: Query, sort: str, parameters: dict[str, Any]) -> str:
    assert query.after is not None
    sign = "<" if query.descending else ">"
    parameters["last"] = query.after.id
    if query.sort is None:
        return f"r.id {sign} :last"
    parameters["last_value"] = jsonio.dumps_for_database(query.after.value)
    return f"({sort}, r.id) {sign} (CAST(:last_value AS jsonb), :last)"


def _where(table_id: UUID, selection: Selection, parameters: dict[str, Any]) -> str:
    parameters["table"] = table_id
    told = [_told(condition, f"value_{n}", parameters) for n, condition in enumerate(selection.conditions)]
    joined = (" OR " if selection.any_of else " AND ").join(told)
    return f"r.table_id = :table AND {_IS_ALIVE}" + (f" AND ({joined})" if joined else "")


def _told(condition: Condition, name: str, parameters: dict[str, Any]) -> str:
    """A condition in SQL. The column's id is ours; the value is a parameter."""
    id_, value = condition.column.id, condition.value
    match condition.operator:
        case Operator.IS_EMPTY:
            return f"coalesce(r.data->>'{id_}', '') = ''"
        case Operator.IS_NOT_EMPTY:
            return f"coalesce(r.data->>'{id_}', '') <> ''"
        case Operator.EQUALS | Operator.NOT_EQUALS:
            parameters[name] = jsonio.dumps_for_database({id_: value})
            holds = f"r.data @> CAST(:{name} AS jsonb)"
            return holds if condition.operator is Operator.EQUALS else f"NOT {holds}"
        case Operator.ONE_OF:
            return _one_of(id_, value, name, parameters)
        case Operator.CONTAINS:
            parameters[name] = value.lower()
            return f"strpos(lower(r.data->>'{id_}'), :{name}) > 0"
        case Operator.STARTS_WITH:
            parameters[name] = value.lower()
            return f"starts_with(lower(r.data->>'{id_}'), :{name})"
        case _:
            parameters[name] = jsonio.dumps_for_database(value)
            return f"r.data->'{id_}' {_SIGNS[condition.operator]} CAST(:{name} AS jsonb)"


def _one_of(id_: str, choices: Sequence[Any], name: str, parameters: dict[str, Any]) -> str:
    """One after the other: of `ANY` PostgreSQL would make no use of the index."""
    names = [f"{name}_{number}" for number in range(len(choices))]
    parameters |= {one: jsonio.dumps_for_database({id_: choice}) for one, choice in zip(names, choices, strict=True)}
    return f"({' OR '.join(f'r.data @> CAST(:{one} AS jsonb)' for one in names) or 'false'})"


_SIGNS = {Operator.LESS: "<", Operator.AT_MOST: "<=", Operator.MORE: ">", Operator.AT_LEAST: ">="}
