"""Statements that write rows into a table, in the words of each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.sql.parameters import Quoting

Row = Mapping[str, Any]
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Dialect:
    opening: str = '"'
    closing: str = '"'
    """What stands around names; doubled where a name holds it."""
    quoting: Quoting = "standard"
    most_values: int = 10_000
    """Parameters of one statement."""
    upsert: Callable[[Upsert], str] = lambda upsert: upsert.on_conflict()

    def quoted(self, name: str) -> str:
        """Raises ConnectorError for what is no name of any table or column."""
        if not 0 < len(name) <= _LONGEST_NAME or "\0" in name:
            raise ConnectorError(f"{name[:_LONGEST_NAME]!r} is no name of a table or column", permanent=True)
        return self.opening + name.replace(self.closing, self.closing * 2) + self.closing

    def table(self, name: str) -> str:
        """The quoted name, of which `schema.table` has two parts."""
        return ".".join(self.quoted(part) for part in name.split("."))


@dataclass(frozen=True, slots=True)
class Upsert:
    """An INSERT of rows whose keys may be there already; all names are quoted, `values` is a list of rows."""

    dialect: Dialect
    table: str
    columns: Sequence[str]
    keys: Sequence[str]
    values: str

    @property
    def others(self) -> list[str]:
        return [column for column in self.columns if column not in self.keys]

    @property
    def insert(self) -> str:
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES {self.values}"  # noqa: S608  (quoted)

    def on_conflict(self) -> str:
        """PostgreSQL, SQLite, DuckDB."""
        changes = ", ".join(f"{column} = excluded.{column}" for column in self.others)
        then = f"DO UPDATE SET {changes}" if changes else "DO NOTHING"
        return f"{self.insert} ON CONFLICT ({', '.join(self.keys)}) {then}"

    def merge(self) -> str:
        """SQL Server; held until the end, so that nobody else makes the same row in between."""
        same = " AND ".join(f"target.{key} = source.{key}" for key in self.keys)
        changes = ", ".join(f"target.{column} = source.{column}" for column in self.others)
        matched = f" WHEN MATCHED THEN UPDATE SET {changes}" if changes else ""
        names, given = ", ".join(self.columns), ", ".join(f"source.{column}" for column in self.columns)
        return (
            f"MERGE INTO {self.table} WITH (HOLDLOCK) AS target"  # noqa: S608  (quoted)
            f" USING (VALUES {self.values}) AS source ({names})"
            f" ON {same}{matched} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({given});"
        )

    def on_duplicate_key(self) -> str:
        """MySQL and MariaDB, which take every unique key of the table for the key."""
        changed = self.others or self.keys[:1]
        changes = ", ".join(f"{column} = VALUES({column})" for column in changed)
        return f"{self.insert} ON DUPLICATE KEY UPDATE {changes}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One of a batch (PEP 249, `format`)."""

    text: str
    values: Sequence[Any]
    rows: int | None = None
    """How many it writes; None: as many as the database says."""


def insert(dialect: Dialect, table: str, rows: Sequence[Row]) -> Iterator[Statement]:
    """Many rows in each statement; columns that a row does not have get their default."""
    return _inserts(dialect, table, rows, lambda upsert: upsert.insert)


def upsert(dialect: Dialect, table: str, rows: Sequence[Row], keys: Sequence[str]) -> Iterator[Statement]:
    """INSERTs that change the rows whose keys are there. Raises ConnectorError for a row without its keys."""
    _require_keys(rows, keys)
    return _inserts(dialect, table, rows, dialect.upsert, keys)


def update(dialect: Dialect, table: str, rows: Sequence[Row], keys: Sequence[str]) -> Iterator[Statement]:
    """One statement a row. Raises ConnectorError for a row without its keys, or with nothing but them."""
    _require_keys(rows, keys)
    where = " AND ".join(f"{_escaped(dialect.quoted(key))} = %s" for key in keys)
    for row in rows:
        others = [column for column in row if column not in keys]
        if not others:
            raise ConnectorError("rows: a row has its keys alone, and nothing to change", permanent=True)
        changes = ", ".join(f"{_escaped(dialect.quoted(column))} = %s" for column in others)
        text = f"UPDATE {_escaped(dialect.table(table))} SET {changes} WHERE {where}"  # noqa: S608  (quoted)
        yield Statement(text, [row[column] for column in (*others, *keys)])


def _inserts(
    dialect: Dialect, table: str, rows: Sequence[Row], write: Callable[[Upsert], str], keys: Sequence[str] = ()
) -> Iterator[Statement]:
    for columns, alike in groupby(rows, key=tuple):
        if not columns:
            raise ConnectorError("rows: a row is empty", permanent=True)
        names = [_escaped(dialect.quoted(column)) for column in columns]
        quoted_keys = [_escaped(dialect.quoted(key)) for key in keys]
        for batch in _batches(list(alike), max(1, dialect.most_values // len(columns))):
            places = ", ".join(f"({', '.join(['%s'] * len(columns))})" for _ in batch)
            statement = write(Upsert(dialect, _escaped(dialect.table(table)), names, quoted_keys, places))
            yield Statement(statement, [value for row in batch for value in row.values()], len(batch))


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    most = min(size, 1_000)  # SQL Server takes no more
    yield from (rows[at : at + most] for at in range(0, len(rows), most))


def _escaped(name: str) -> str:
    return name.replace("%", "%%")


def _require_keys(rows: Sequence[Row], keys: Sequence[str]) -> None:
    for key in keys:
        if any(row.get(key) is None for row in rows):
            raise ConnectorError(f"rows: a row has no '{key}', which is among the keys", permanent=True)
