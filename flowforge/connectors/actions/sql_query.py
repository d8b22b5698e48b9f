"""SQL_QUERY: read from a database and write to it; the kind of the connection decides which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, model_validator

from flowforge.connectors.connection_kinds.mysql import MYSQL
from flowforge.connectors.connection_kinds.postgresql import POSTGRESQL
from flowforge.connectors.connection_kinds.sqlserver import SQLSERVER
from flowforge.connectors.sdk import (
    LONGEST_SQL,
    MOST_ROWS,
    NO_EXPRESSIONS,
    Bound,
    Polls,
    SqlSession,
    StatementConfig,
    StepContext,
    chosen_by,
    connector,
    field,
    first_of,
    listed,
    parameter,
    writing,
)
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

Operation = Literal["query", "first", "execute", "insert", "update", "upsert"]
_READS = ("query", "first")
_REPEATABLE = (*_READS, "upsert")
_STATEMENTS = (*_READS, "execute")


class Config(StatementConfig):
    model_config = ConfigDict(json_schema_extra=chosen_by("operation"))

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
        max_length=LONGEST_SQL,
        no_expressions=NO_EXPRESSIONS,
        required_for=("query", "first", "execute"),
    )
    table: str = field(
        "",
        title="Table",
        description="For insert, update and upsert: table, or schema.table.",
        required_for=("insert", "update", "upsert"),
    )
    rows: Annotated[list[JsonObject], BeforeValidator(listed)] = field(
        default_factory=list,
        title="Rows",
        description="Objects: the names of columns, and their values. All of them are written, or none.",
        max_length=MOST_ROWS,
        only_for=("insert", "update", "upsert"),
    )
    keys: Annotated[list[str], BeforeValidator(listed)] = field(
        default_factory=list,
        title="Keys",
        description="For update and upsert: the columns by which a row is found.",
        max_length=100,
        required_for=("update", "upsert"),
    )

    @model_validator(mode="after")
    def _require_what_the_operation_needs(self) -> Config:
        if self.operation in _STATEMENTS and not self.sql.strip():
            raise ValueError(sentence("sql is required for %(operation)s", operation=self.operation))
        if self.operation not in _STATEMENTS and not self.table.strip():
            raise ValueError(sentence("table is required for %(operation)s", operation=self.operation))
        if self.operation in ("update", "upsert") and not self.keys:
            raise ValueError(sentence("keys is required for %(operation)s", operation=self.operation))
        return self


@connector(
    "SQL_QUERY",
    Config,
    title="SQL query",
    help="Reads from a database, or writes rows to it.",
    icon="table",
    keywords=("database", "postgres", "mysql", "mariadb", "select", "insert", "sql server", "azure"),
    summary=first_of("sql", "table"),
    repeatable=lambda config: config.get("operation", "query") in _REPEATABLE,
    connections=(POSTGRESQL, MYSQL, SQLSERVER),
    polls=Polls(
        "New row in a database",
        "When an SQL query returns a new row",
        items="rows",
        fixed={"operation": "query", "result": "rows", "table": None, "rows": None, "keys": None},
        sample={"id": 17, "customer": "Ada", "total": 12.5},
    ),
)
def sql_query(config: Config, context: StepContext) -> JsonObject:
    with context.open_connection() as session:
        return _RUN[config.operation](config, context, session)


def _read(config: Config, context: StepContext, session: SqlSession) -> JsonObject:
    with session.reading(_bound(config, context, session)) as rows:
        return config.read(rows, context.files, only_first=config.operation == "first")


def _execute(config: Config, context: StepContext, session: SqlSession) -> JsonObject:
    with session.changing(_bound(config, context, session)) as (count, rows):
        given_back = config.listed(rows, context.files) if rows.columns else {}
    return {**given_back, "count": count}


def _write(make: Callable[..., Any], config: Config, context: StepContext, session: SqlSession) -> JsonObject:
    rows = [
        {name: session.driver.adapt(parameter(value, context.files)) for name, value in row.items()}
        for row in config.rows
    ]
    keys = () if config.operation == "insert" else (config.keys,)
    return {"count": session.write(make(session.dialect, config.table, rows, *keys)) if rows else 0}


_RUN: Mapping[Operation, Callable[[Config, StepContext, SqlSession], JsonObject]] = {
    "query": _read,
    "first": _read,
    "execute": _execute,
    "insert": partial(_write, writing.insert),
    "update": partial(_write, writing.update),
    "upsert": partial(_write, writing.upsert),
}


def _bound(config: Config, context: StepContext, session: SqlSession) -> Bound:
    return config.bound(context.files, adapt=session.driver.adapt, quoting=session.dialect.quoting)
