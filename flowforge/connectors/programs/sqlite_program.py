"""Runs one statement on a SQLite database in a file: nothing but that file is read or written.

https://www.sqlite.org/security.html
"""

from __future__ import annotations

import sqlite3
from typing import Any

from flowforge.connectors.programs import limits

_LARGEST_VALUE = 64 * 1024 * 1024
_PRAGMAS = {
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "user_version", "encoding", "page_count", "page_size", "integrity_check", "quick_check", "foreign_keys",
}  # fmt: skip
_DENIED_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}


def main() -> None:
    try:
        request = limits.read_request()
        connection = _open(request["path"], reads=request["reads"])
        _run(connection, request)
    except (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError, ValueError) as error:
        limits.fail(error)


def _open(path: str, *, reads: bool) -> sqlite3.Connection:
    how = "mode=ro&immutable=1" if reads else "mode=rw"
    connection = sqlite3.connect(f"file:{path}?{how}", uri=True, isolation_level=None)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.set_authorizer(_may)
    return connection


def _run(connection: sqlite3.Connection, request: dict[str, Any]) -> None:
    before = connection.total_changes
    cursor = connection.execute(request["sql"], request["values"] or {})
    limits.answer(cursor)
    changed = connection.total_changes - before
    connection.close()
    limits.end(changed)


def _may(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """https://www.sqlite.org/c3ref/c_alter_table.html"""
    del database, source
    if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in _PRAGMAS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _DENIED_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


if __name__ == "__main__":
    main()
