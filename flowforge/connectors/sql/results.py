"""Rows of any database as the output of a step, bounded, or as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import FileAccess
from flowforge.connectors.sql.session import Rows
from flowforge.connectors.sql.values import keeping, to_json
from flowforge.jsonio import JsonObject

_MOST_BYTES = 16 * 1024 * 1024


def listing(rows: Rows, most: int, files: FileAccess) -> JsonObject:
    """`rows` and their `count`. Raises ConnectorError where they are more than `most`, or than a step may hold."""
    found: list[JsonObject] = []
    size = 0
    for row in _readable(rows, files):
        if len(found) >= most:
            raise ConnectorError(
                f"mostRows: there are more than {most} rows: ask for fewer of them, for a file, or raise it", True
            )
        found.append(row)
        size += len(jsonio.dumps(row))
        if size > _MOST_BYTES:
            raise ConnectorError(f"the rows have more than {_MOST_BYTES} bytes: ask for fewer, or for a file", True)
    return {"rows": found, "count": len(found)}


def first(rows: Rows, files: FileAccess) -> JsonObject:
    """The first `row`, or null."""
    return {"row": next(_readable(rows, files), None)}


def as_file(rows: Rows, files: FileAccess) -> JsonObject:
    """A `file` with a line of JSON for each row, and their `count`. Raises ConnectorError for one that is too large."""
    count, size = 0, 0
    with tempfile.TemporaryFile() as file:
        for row in _readable(rows, files):
            count, size = count + 1, size + file.write(jsonio.dumps(row) + b"\n")
            if size > files.most_bytes:
                raise ConnectorError(f"the rows have more than {files.most_bytes} bytes, as one file may", True)
        return {"file": files.keep(file, "rows.jsonl", "application/jsonl").as_json(), "count": count}


def _readable(rows: Rows, files: FileAccess) -> Iterator[JsonObject]:
    keep = keeping(files)
    for row in rows.rows:
        yield {name: to_json(value, name, keep) for name, value in _named(rows, row).items()}


def _named(rows: Rows, row: Any) -> Mapping[str, Any]:
    return dict(zip(rows.columns, row, strict=True))
