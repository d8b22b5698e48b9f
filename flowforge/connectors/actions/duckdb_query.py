"""DUCKDB_QUERY: SQL over files of tables (CSV, JSON, Parquet)."""

from __future__ import annotations

from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, Literal

from flowforge.connectors.sdk import (
    DOLLAR,
    ConnectorError,
    Content,
    File,
    StatementConfig,
    StepContext,
    child,
    connector,
    field,
    first_of,
    running_sql,
)
from flowforge.jsonio import JsonObject

_DUCKDB = child.Program("duckdb_program", memory=1024 * 1024 * 1024, work="the statement")
_FORMATS = ("csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet")
_FORMAT_OF_TYPE = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}


class Config(StatementConfig):
    files: dict[str, File] = field(
        title="Files",
        description="Each under the name that it has as a table in the SQL: CSV, JSON, lines of JSON, or Parquet.",
        min_length=1,
        max_length=20,
    )
    operation: Literal["query", "first"] = field(
        "query", title="Operation", description="query: rows; first: one row, or null."
    )


@connector(
    "DUCKDB_QUERY",
    Config,
    title="Query files",
    help="Asks tables in files (CSV, JSON, Parquet) by SQL: joins, groups, sums.",
    icon="table",
    keywords=("sql", "csv", "parquet", "duckdb", "spreadsheet", "join", "aggregate", "excel"),
    summary=first_of("sql"),
    repeatable=True,
)
def duckdb_query(config: Config, context: StepContext) -> JsonObject:
    bound = config.bound(context.files, style=DOLLAR)
    with TemporaryDirectory(prefix="flowforge-duckdb-") as folder:
        files = {name: _written(name, file, Path(folder), context) for name, file in config.files.items()}
        request = {"sql": bound.text, "values": bound.values, "files": files}
        tools = context.tools
        with running_sql(_DUCKDB, request, tools.dialer, context.user_id, context.deadline) as answer:
            return config.read(answer.rows, context.files, only_first=config.operation == "first")


def _written(name: str, file: Any, folder: Path, context: StepContext) -> JsonObject:
    content = context.files.content(file)
    format_ = _format_of(name, content)
    path = child.write_file(content, folder / f"{len(list(folder.iterdir()))}.{format_}")
    return {"path": str(path), "format": format_}


def _format_of(name: str, content: Content) -> str:
    """By the file's name, else by its type. Raises ConnectorError."""
    by_name = PurePath(content.name).suffix.removeprefix(".").lower()
    found = by_name if by_name in _FORMATS else _FORMAT_OF_TYPE.get(content.type.split(";")[0].strip().lower())
    if found is None:
        raise ConnectorError(f"files.{name}: {content.name} has to be CSV, JSON, lines of JSON, or Parquet", True)
    return found
