"""SQLITE_QUERY and DUCKDB_QUERY: what they give, and the ways out of their files, time and memory that are closed."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run

MakeContext = Callable[..., StepContext]
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n"


@pytest.fixture
def files() -> KeptFiles:
    return KeptFiles()


@pytest.fixture
def context(make_context: MakeContext, files: KeptFiles) -> StepContext:
    return replace(make_context(seconds=20), files=files)


def inline(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "type": "application/octet-stream", "base64": base64.b64encode(content).decode()}


def database(folder: Path, *statements: str) -> dict[str, Any]:
    path = folder / "made.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    for statement in statements or ("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, photo BLOB)",):
        connection.execute(statement)
    connection.commit()
    connection.close()
    return inline("people.db", path.read_bytes())


class TestSqlite:
    @pytest.fixture
    def query(self, tmp_path: Path, context: StepContext) -> Callable[..., dict[str, Any]]:
        file = database(
            tmp_path,
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, photo BLOB)",
            "INSERT INTO people VALUES (1, 'Ann', x'0102'), (9223372036854775807, 'Bob', NULL)",
        )

        def run_step(*, within: StepContext = context, **config: Any) -> dict[str, Any]:
            return run("SQLITE_QUERY", {"file": file, **config}, within)

        return run_step

    def test_rows_are_objects(self, query: Any) -> None:
        output = query(
            sql="SELECT * FROM people WHERE name IN (:names) ORDER BY id", parameters={"names": ["Ann", "Bob"]}
        )
        ann, bob = output["rows"]
        assert (ann["id"], ann["name"], base64.b64decode(ann["photo"]["base64"])) == (1, "Ann", b"\1\2")
        assert bob == {"id": 2**63 - 1, "name": "Bob", "photo": None}
        assert query(sql="SELECT name FROM people", operation="first") == {"row": {"name": "Ann"}}

    def test_a_change_gives_another_file(self, query: Any, files: KeptFiles, tmp_path: Path) -> None:
        add = "INSERT INTO people (id, name) VALUES (:id, :name)"
        output = query(operation="execute", sql=add, parameters={"id": 3, "name": "Cy'; DROP TABLE people"})
        assert (output["count"], output["file"]["name"]) == (1, "people.db")
        [content] = files.contents.values()
        (tmp_path / "after.db").write_bytes(content)
        after = sqlite3.connect(tmp_path / "after.db")
        assert after.execute("SELECT count(*) FROM people").fetchone() == (3,)
        after.close()
        assert query(sql="SELECT count(*) AS n FROM people")["rows"] == [{"n": 2}]

    def test_reading_changes_nothing(self, query: Any) -> None:
        with pytest.raises(ConnectorError, match="readonly"):
            query(sql="DELETE FROM people")

    @pytest.mark.parametrize(
        "sql",
        [
            "ATTACH DATABASE '/tmp/other.db' AS other",
            "VACUUM INTO '/tmp/stolen.db'",
            "SELECT load_extension('/tmp/evil.so')",
            "SELECT readfile('/etc/passwd')",
            "SELECT writefile('/tmp/x', 'y')",
            "SELECT * FROM pragma_database_list",
            "PRAGMA writable_schema = ON",
            "PRAGMA temp_store_directory = '/etc'",
            "SELECT fts3_tokenizer('simple')",
        ],
    )
    @pytest.mark.parametrize("operation", ["query", "execute"])
    def test_there_is_nothing_beside_the_file(self, query: Any, sql: str, operation: str) -> None:
        with pytest.raises(ConnectorError) as caught:
            query(sql=sql, operation=operation)
        assert caught.value.permanent

    @pytest.mark.parametrize(
        "sql", ["SELECT randomblob(2000000000)", "SELECT group_concat(zeroblob(9000000)) FROM people, people, people"]
    )
    def test_memory_is_bounded(self, query: Any, sql: str) -> None:
        with pytest.raises(ConnectorError) as caught:
            query(sql=sql)
        assert caught.value.permanent

    def test_a_statement_that_does_not_end_is_killed(self, query: Any, make_context: MakeContext) -> None:
        began = time.monotonic()
        with pytest.raises(ConnectorError, match="time limit"):
            query(sql=ENDLESS, within=replace(make_context(seconds=1.5), files=KeptFiles()))
        assert time.monotonic() - began < 15

    @pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 5_000])
    def test_what_is_no_database_is_told(self, context: StepContext, content: bytes) -> None:
        with pytest.raises(ConnectorError):
            run("SQLITE_QUERY", {"file": inline("x.db", content), "sql": "SELECT * FROM people"}, context)


class TestDuckDb:
    CSV = b'id,name,amount\n1,Ann,9.50\n2,"B, ob",10.25\n'

    @pytest.fixture
    def query(self, context: StepContext) -> Callable[..., dict[str, Any]]:
        files = {"orders": inline("orders.csv", self.CSV)}

        def run_step(*, within: StepContext = context, **config: Any) -> dict[str, Any]:
            return run("DUCKDB_QUERY", {"files": files, **config}, within)

        return run_step

    def test_files_are_tables(self, query: Any) -> None:
        people = inline("people.json", json.dumps([{"name": "Ann", "tags": ["a", "b"], "at": "2026-03-04"}]).encode())
        output = query(
            files={"orders": inline("orders.csv", self.CSV), "people": people},
            sql="SELECT o.amount, p.tags, p.at FROM orders o JOIN people p USING (name) WHERE o.id = :id",
            parameters={"id": 1},
        )
        assert output["rows"] == [{"amount": 9.5, "tags": ["a", "b"], "at": "2026-03-04"}]

    def test_types_become_json(self, query: Any) -> None:
        sql = (
            "SELECT 12345678901234567890::HUGEINT AS h, 0.1234567890123456789::DECIMAL(30, 19) AS d,"
            " TIMESTAMP '2026-03-04 05:06:07' AS t, INTERVAL 90 MINUTE AS i, {'a': [1, NULL]} AS s, 'ab'::BLOB AS b,"
            " MAP {'k': 1.5::DECIMAL(3, 1)} AS m, 'NaN'::DOUBLE AS n, uuid() IS NOT NULL AS u"
        )
        row = query(sql=sql, operation="first")["row"]
        assert base64.b64decode(row.pop("b")["base64"]) == b"ab"
        assert row == {
            "h": 12345678901234567890,
            "d": "0.1234567890123456789",
            "t": "2026-03-04T05:06:07",
            "i": "P0DT1H30M0S",
            "s": {"a": [1, None]},
            "m": {"k": 1.5},
            "n": None,
            "u": True,
        }

    def test_many_rows_go_to_a_file(self, query: Any, files: KeptFiles) -> None:
        output = query(sql="SELECT range AS i FROM range(20000)", result="file")
        [content] = files.contents.values()
        assert (output["count"], content.count(b"\n")) == (20_000, 20_000)
        with pytest.raises(ConnectorError, match="mostRows"):
            query(sql="SELECT range AS i FROM range(10000000)")

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM glob('/etc/*')",
            "SELECT * FROM read_csv('https://127.0.0.1/x.csv')",
            "COPY (SELECT 1) TO '/tmp/written.csv'",
            "EXPORT DATABASE '/tmp/exported'",
            "ATTACH '/tmp/other.duckdb' AS other",
            "INSTALL httpfs",
            "LOAD httpfs",
            "INSTALL sqlite FROM community",
            "SET enable_external_access = true",
            "SET lock_configuration = false",
            "SET allowed_paths = ['/etc/passwd']",
            "SET memory_limit = '100GB'",
            "PRAGMA enable_profiling = 'json'; SET profiling_output = '/tmp/p.json'",
            "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
            "SELECT * FROM request",
            "SELECT getenv('HOME')",
        ],
    )
    def test_there_is_nothing_beside_the_files(self, query: Any, sql: str) -> None:
        with pytest.raises(ConnectorError) as caught:
            query(sql=sql)
        assert caught.value.permanent
        for path in ("/tmp/written.csv", "/tmp/exported", "/tmp/other.duckdb", "/tmp/p.json"):
            assert not Path(path).exists()

    def test_memory_is_bounded(self, query: Any) -> None:
        with pytest.raises(ConnectorError) as caught:
            query(sql="SELECT list(i || repeat('x', 1000)) AS l FROM range(10000000) AS t(i)")
        assert caught.value.permanent

    def test_a_statement_that_does_not_end_is_killed(self, query: Any, make_context: MakeContext) -> None:
        began = time.monotonic()
        with pytest.raises(ConnectorError):
            query(sql=ENDLESS, within=replace(make_context(seconds=2), files=KeptFiles()))
        assert time.monotonic() - began < 15

    def test_names_may_hold_quotes(self, query: Any) -> None:
        name = "odd \"name\"; DROP 'x'"
        output = query(
            files={name: inline("a.csv", self.CSV)}, sql='SELECT count(*) AS n FROM "odd ""name""; DROP \'x\'"'
        )
        assert output["rows"] == [{"n": 2}]

    @pytest.mark.parametrize(
        ("name", "content", "text"),
        [
            ("a.xlsx", b"PK", "CSV, JSON"),
            ("a.parquet", b"nonsense", "cannot be done"),
            ("a.json", b"{", "cannot be done"),
        ],
    )
    def test_what_cannot_be_read_is_told(self, query: Any, name: str, content: bytes, text: str) -> None:
        with pytest.raises(ConnectorError, match=text) as caught:
            query(files={"t": inline(name, content)}, sql="SELECT * FROM t")
        assert "/tmp" not in str(caught.value)
