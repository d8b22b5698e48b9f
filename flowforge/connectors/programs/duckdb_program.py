"""Runs one statement of DuckDB over files: nothing but those is read, and there is no network.

https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""

from __future__ import annotations

from typing import Any

import duckdb

from flowforge.connectors.programs import limits

_READERS = {
    "csv": "read_csv",
    "tsv": "read_csv",
    "txt": "read_csv",
    "json": "read_json_auto",
    "jsonl": "read_json_auto",
    "ndjson": "read_json_auto",
    "parquet": "read_parquet",
}


def main() -> None:
    try:
        request = limits.read_request()
        connection = _open(request)
        limits.answer(connection.execute(request["sql"], request["values"] or None))
        limits.end()
    except (duckdb.Error, MemoryError, ValueError, RuntimeError) as error:
        limits.fail(error)


def _open(request: dict[str, Any]) -> Any:
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": f"{request['memory'] // 4}B",
            "max_temp_directory_size": "0B",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        },
    )
    paths = ", ".join(_text(file["path"]) for file in request["files"].values())
    connection.execute(f"SET allowed_paths = [{paths}]")
    for name, file in request["files"].items():
        try:
            _add(connection, name, file)
        except duckdb.Error as error:
            first_line = str(error).splitlines()[0].replace(file["path"], "it")
            raise ValueError(f"files.{name}: {first_line}") from error
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _add(connection: Any, name: str, file: dict[str, str]) -> None:
    reader = _READERS[file["format"]]
    table = name.replace('"', '""')
    connection.execute(f'CREATE VIEW "{table}" AS SELECT * FROM {reader}({_text(file["path"])})')  # noqa: S608  (quoted)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


if __name__ == "__main__":
    main()
