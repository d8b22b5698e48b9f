"""SQLITE_QUERY: SQL on a SQLite database that is a file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from flowforge.connectors.sdk import (
    DOLLAR,
    Content,
    File,
    SqlAnswer,
    StatementConfig,
    StepContext,
    child,
    connector,
    field,
    first_of,
    running_sql,
)
from flowforge.jsonio import JsonObject

_SQLITE = child.Program("sqlite_program", memory=512 * 1024 * 1024, work="the statement")


class Config(StatementConfig):
    file: File = field(title="Database", description="A SQLite database, such as an upload or a download.")
    operation: Literal["query", "first", "execute"] = field(
        "query",
        title="Operation",
        description="query: rows; first: one row, or null; execute: a statement that changes the database, which is"
        " given back as another file.",
    )


@connector(
    "SQLITE_QUERY",
    Config,
    title="SQLite query",
    help="Reads a SQLite database that is a file, or changes it.",
    icon="table",
    keywords=("sql", "database", "sqlite", "db"),
    summary=first_of("sql"),
    repeatable=True,  # the file that it is given stays as it is
)
def sqlite_query(config: Config, context: StepContext) -> JsonObject:
    bound = config.bound(context.files, style=DOLLAR)
    content = context.files.content(config.file)
    with TemporaryDirectory(prefix="flowforge-sqlite-") as folder:
        path = child.write_file(content, Path(folder) / "database")
        request = {
            "sql": bound.text,
            "values": bound.values,
            "path": str(path),
            "reads": config.operation != "execute",
        }
        tools = context.tools
        with running_sql(_SQLITE, request, tools.dialer, context.user_id, context.deadline) as answer:
            output = _output(config, context, answer)
        return output | _changed_file(path, content, context) if config.operation == "execute" else output


def _output(config: Config, context: StepContext, answer: SqlAnswer) -> JsonObject:
    if config.operation != "execute":
        return config.read(answer.rows, context.files, only_first=config.operation == "first")
    given_back = config.listed(answer.rows, context.files)
    return (given_back if answer.rows.columns else {}) | {"count": answer.changed}


def _changed_file(path: Path, content: Content, context: StepContext) -> JsonObject:
    with path.open("rb") as changed:
        return {"file": context.files.keep(changed, content.name, content.type).as_json()}
