"""SQL_QUERY: read from a database and write to it; the kind of the connection decides which."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from flowforge import jsonio
from flowforge.connectors.connection_kinds.mysql import MYSQL
from flowforge.connectors.connection_kinds.postgresql import POSTGRESQL
from flowforge.connectors.sdk import (
    Bound,
    ConnectorConfig,
    ConnectorError,
    Rows,
    SqlSession,
    StepContext,
    as_objects,
    bind,
    connector,
    field,
    first_of,
    from_json,
    keeping,
    to_json,
    writing,
)
from flowforge.jsonio import JsonObject

Operation = Literal["query", "first", "execute", "insert", "update", "upsert"]
_READS = ("query", "first")
_STATEMENTS = (*_READS, "execute")
_LONGEST_SQL = 100_000
_MOST_ROWS = 100_000
_MOST_BYTES = 16 * 1024 * 1024


def _listed(value: Any) -> Any:
    """One row stands for a list of one; names may stand in a text, separated by commas."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [value] if isinstance(value, Mapping) else value


class Config(ConnectorConfig):
    operation: Operation = field(
        "query",
        title="Operation",
        description="query: rows; first: one row, or null; execute: any statement, and how many rows it changed;"
        " insert, update, upsert: a list of rows into a table.",
    )
    sql: str = field(
        "",
        multiline=True,
        title="SQL",
        description="For query, first and execute. Values stand in it as :name, and under the parameters.",
        max_length=_LONGEST_SQL,
        no_expressions="holds no expressions, since SQL must never be made of data: write :name where a value belongs,"
        ' and give it under parameters: {"name": "{{ … }}"}',
    )
    parameters: dict[str, Any] = field(
        default_factory=dict,
        title="Parameters",
        description="A value for each :name. A list stands for its members, as in IN (:ids).",
    )
    table: str = field("", title="Table", description="For insert, update and upsert: table, or schema.table.")
    rows: Annotated[list[JsonObject], BeforeValidator(_listed)] = field(
        default_factory=list,
        title="Rows",
        description="Objects: the names of columns, and their values. All of them are written, or none.",
        max_length=_MOST_ROWS,
    )
    keys: Annotated[list[str], BeforeValidator(_listed)] = field(
        default_factory=list,
        title="Keys",
        description="For update and upsert: the columns by which a row is found.",
        max_length=100,
    )
    result: Literal["rows", "file"] = field(
        "rows", title="Result", description="file: any number of rows, as one file with a line of JSON for each."
    )
    most_rows: int = field(1_000, title="Most rows", description="More are an error.", ge=1, le=_MOST_ROWS)

    @model_validator(mode="after")
    def _require_what_the_operation_needs(self) -> Config:
        if self.operation in _STATEMENTS and not self.sql.strip():
            raise ValueError(f"sql is required for {self.operation}")
        if self.operation not in _STATEMENTS and not self.table.strip():
            raise ValueError(f"table is required for {self.operation}")
        if self.operation in ("update", "upsert") and not self.keys:
            raise ValueError(f"keys is required for {self.operation}")
        return self


@connector(
    "SQL_QUERY",
    Config,
    title="SQL query",
    help="Reads from a database, or writes rows to it.",
    icon="table",
    keywords=("database", "postgres", "mysql", "mariadb", "select", "insert", "sql server"),
    summary=first_of("sql", "table"),
    repeatable=lambda config: config.get("operation", "query") in _READS,
    connections=(POSTGRESQL, MYSQL),
)
def sql_query(config: Config, context: StepContext) -> JsonObject:
    if context.connection is None:
        raise ConnectorError("connection: is required", permanent=True)
    with context.connection.open() as session:
        return _RUN[config.operation](config, context, session)


def _query(config: Config, context: StepContext, session: SqlSession) -> JsonObject:
    with session.reading(_bound(config, context, session)) as rows:
        return _file_of(rows, context) if config.result == "file" else _listing(config, rows, context)


def _first(config: Config, context: StepContext, session: SqlSession) -> JsonObject:
    with session.reading(_bound(config, context, session)) as rows:
        found = next(iter(rows.rows), None)
        return {"row": None if found is None else _readable(dict(zip(rows.columns, found, strict=True)), context)}


def _execute(config: Config, context: StepContext, session: SqlSession) -> JsonObject:
    with session.changing(_bound(config, context, session)) as (count, rows):
        listing = _listing(config, rows, context) if rows.columns else {}
    return {**listing, "count": count}


def _write(make: Callable[..., Any], config: Config, context: StepContext, session: SqlSession) -> JsonObject:
    rows = [{name: session.driver.adapt(_given(value, context)) for name, value in row.items()} for row in config.rows]
    keys = () if config.operation == "insert" else (config.keys,)
    return {"count": session.write(make(session.dialect, config.table, rows, *keys)) if rows else 0}


_RUN: Mapping[Operation, Callable[[Config, StepContext, SqlSession], JsonObject]] = {
    "query": _query,
    "first": _first,
    "execute": _execute,
    "insert": partial(_write, writing.insert),
    "update": partial(_write, writing.update),
    "upsert": partial(_write, writing.upsert),
}


def _bound(config: Config, context: StepContext, session: SqlSession) -> Bound:
    def adapt(value: Any) -> Any:
        return session.driver.adapt(_given(value, context))

    return bind(config.sql, config.parameters, adapt, backslashes=session.dialect.backslashes)


def _given(value: Any, context: StepContext) -> Any:
    return from_json(value, context.files, lambda structure: jsonio.dumps(structure).decode())


def _listing(config: Config, rows: Rows, context: StepContext) -> JsonObject:
    """Raises ConnectorError where they are more than the step may hold."""
    found, size = [], 0
    for row in as_objects(rows, config.most_rows):
        found.append(_readable(row, context))
        size += len(jsonio.dumps(found[-1]))
        if size > _MOST_BYTES:
            raise ConnectorError(f"the rows have more than {_MOST_BYTES} bytes: ask for fewer, or for a file", True)
    return {"rows": found, "count": len(found)}


def _file_of(rows: Rows, context: StepContext) -> JsonObject:
    count, size = 0, 0
    with tempfile.TemporaryFile() as file:
        for line in _lines(rows, context):
            count, size = count + 1, size + file.write(line)
            if size > context.files.most_bytes:
                raise ConnectorError(f"the rows have more than {context.files.most_bytes} bytes, as one file may", True)
        return {"file": context.files.keep(file, "rows.jsonl", "application/jsonl").as_json(), "count": count}


def _lines(rows: Rows, context: StepContext) -> Iterator[bytes]:
    for row in rows.rows:
        yield jsonio.dumps(_readable(dict(zip(rows.columns, row, strict=True)), context)) + b"\n"


def _readable(row: Mapping[str, Any], context: StepContext) -> JsonObject:
    keep = keeping(context.files)
    return {name: to_json(value, name, keep) for name, value in row.items()}
