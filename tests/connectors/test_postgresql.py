"""What is PostgreSQL's alone: its types, what libpq would do by itself, and bounds on what a statement gives back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run_with
from tests.services.sql_servers import SqlServer

MakeContext = Callable[..., StepContext]
Query = Callable[..., dict[str, Any]]


@pytest.fixture
def query(postgresql: SqlServer, make_context: MakeContext) -> Query:
    context = replace(make_context(seconds=20), files=KeptFiles())

    def run_step(connection: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
        saved = {**postgresql.connection, **(connection or {})}
        return run_with("SQL_QUERY", "postgresql", saved, config, context)

    return run_step


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("1::bigint", 1),
        ("12345678901234567890123::numeric", 12345678901234567890123),
        ("1.50::numeric", 1.5),
        ("0.1234567890123456789::numeric", "0.1234567890123456789"),
        ("'NaN'::numeric", None),
        ("'NaN'::float8", None),
        ("'Infinity'::float8", None),
        ("0.1::float8", 0.1),
        ("'2026-03-04'::date", "2026-03-04"),
        ("'2026-03-04 05:06:07.089123+02'::timestamptz", "2026-03-04T03:06:07.089123Z"),
        ("'2026-03-04 05:06:07'::timestamp", "2026-03-04T05:06:07"),
        ("'05:06:07'::time", "05:06:07"),
        ("'1 day 02:03:04.5'::interval", "P1DT2H3M4.5S"),
        ("'-3 hours'::interval", "-P0DT3H0M0S"),
        ("""'{"a": [1, null, 12345678901234567890]}'::jsonb""", {"a": [1, None, 12345678901234567890]}),
        ("ARRAY[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("ARRAY[1.5, 2]::numeric[]", [1.5, 2]),
        ("'0193a1b2-0000-7000-8000-000000000001'::uuid", "0193a1b2-0000-7000-8000-000000000001"),
        ("ARRAY['0193a1b2-0000-7000-8000-000000000001']::text[]", ["0193a1b2-0000-7000-8000-000000000001"]),
        ("true", True),
        ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
        ("int4range(1, 5)::text", "[1,5)"),
    ],
)
def test_values_become_json(query: Query, sql: str, value: Any) -> None:
    assert query(operation="first", sql=f"SELECT {sql} AS v")["row"] == {"v": value}


def test_large_bytes_go_to_the_store_of_files(query: Query) -> None:
    small = query(operation="first", sql="SELECT '\\x0102'::bytea AS small")["row"]["small"]
    large = query(operation="first", sql="SELECT decode(repeat('ab', 100000), 'hex') AS large")["row"]["large"]
    assert (base64.b64decode(small["base64"]), small["name"]) == (b"\1\2", "small")
    assert (large["size"], "base64" in large) == (100_000, False)


def test_what_cannot_be_read_is_told(query: Query) -> None:
    with pytest.raises(ConnectorError) as caught:
        query(sql="SELECT 'infinity'::timestamp AS v UNION ALL SELECT '0044-03-15 BC'::timestamp")
    assert caught.value.permanent


def test_what_returning_gives_is_cut_by_the_server_and_taken_back(query: Query, postgresql: SqlServer) -> None:
    postgresql.administer("DROP TABLE IF EXISTS many", "CREATE TABLE many AS SELECT generate_series(1, 200000) AS id")
    with pytest.raises(ConnectorError, match="mostRows"):
        query(operation="execute", sql="DELETE FROM many RETURNING id")
    assert postgresql.ask("SELECT count(*) FROM many") == [(200_000,)]
    output = query(operation="execute", sql="DELETE FROM many WHERE id <= 3 RETURNING id;")
    assert (output["count"], len(output["rows"])) == (3, 3)
    assert postgresql.ask("SELECT count(*) FROM many") == [(199_997,)]
    postgresql.administer("DROP TABLE many")


def test_ten_million_rows_are_refused_after_the_first_ones(query: Query) -> None:
    with pytest.raises(ConnectorError, match="mostRows"):
        query(sql="SELECT g, repeat('x', 100) AS x FROM generate_series(1, 10000000) AS g")


@pytest.mark.parametrize(
    "connection",
    [
        {"database": "host=/tmp dbname=devdb"},
        {"database": "postgresql://127.0.0.1:1/devdb"},
        {"username": "ada' host='127.0.0.2"},
        {"database": "devdb' hostaddr='10.0.0.1"},
    ],
)
def test_fields_are_no_connection_strings(query: Query, connection: dict[str, Any]) -> None:
    with pytest.raises(ConnectorError, match="PostgreSQL refused"):
        query(connection, sql="SELECT 1 AS a")


def test_the_operators_own_passwords_are_not_used(
    query: Query, postgresql: SqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"*:*:*:*:{postgresql.connection['password']}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    with pytest.raises(ConnectorError, match="user name or password"):
        query({"password": ""}, sql="SELECT 1 AS a")


def test_the_operators_own_services_are_not_used(query: Query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services"
    file.write_text("[other]\nhostaddr=127.0.0.2\nport=1\noptions=-c search_path=stolen\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGSERVICE", "other")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=stolen")
    assert query(operation="first", sql="SELECT current_setting('search_path') AS p")["row"] == {"p": '"$user", public'}


def test_a_statement_cannot_lift_its_own_limit(query: Query, postgresql: SqlServer, make_context: MakeContext) -> None:
    with pytest.raises(ConnectorError, match="time limit"):
        run_with(
            "SQL_QUERY",
            "postgresql",
            postgresql.connection,
            {"operation": "execute", "sql": "SET LOCAL statement_timeout = 0; SELECT pg_sleep(30)"},
            make_context(seconds=1.5),
        )
