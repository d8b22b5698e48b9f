"""SQL_QUERY against real servers: what it gives and takes, bad input, time limits, servers that die."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import failing, run_with
from tests.services.sql_servers import SqlServer
from tests.waiting import eventually

MakeContext = Callable[..., StepContext]
Query = Callable[..., dict[str, Any]]
ORDERS = "CREATE TABLE orders (id INT PRIMARY KEY, name VARCHAR(100), amount DECIMAL(20, 2))"


@pytest.fixture
def server(sql_server: SqlServer) -> Iterator[SqlServer]:
    sql_server.administer("DROP TABLE IF EXISTS orders", ORDERS)
    yield sql_server
    sql_server.administer("DROP TABLE IF EXISTS orders")


@pytest.fixture
def query(server: SqlServer, make_context: MakeContext) -> Query:
    """Runs a step with a config; `within`: its context."""
    context = make_context(seconds=20)

    def run_step(*, within: StepContext = context, **config: Any) -> dict[str, Any]:
        return run_with("SQL_QUERY", server.kind, server.connection, config, within)

    return run_step


class TestReading:
    def test_rows_are_objects(self, query: Query, server: SqlServer) -> None:
        server.administer("INSERT INTO orders VALUES (1, 'Ann', 9.50), (2, 'Bob', 10)")
        output = query(sql="SELECT * FROM orders ORDER BY id")
        rows = [{"id": 1, "name": "Ann", "amount": 9.5}, {"id": 2, "name": "Bob", "amount": 10}]
        assert output == {"rows": rows, "count": 2}

    def test_the_first_row_or_null(self, query: Query, server: SqlServer) -> None:
        server.administer("INSERT INTO orders (id, name) VALUES (1, 'Ann'), (2, 'Bob')")
        first = partial(query, operation="first", sql="SELECT name FROM orders WHERE id >= :least ORDER BY id")
        assert first(parameters={"least": 1}) == {"row": {"name": "Ann"}}
        assert first(parameters={"least": 3}) == {"row": None}

    def test_reading_changes_nothing(self, query: Query, server: SqlServer) -> None:
        failing(query, sql="DELETE FROM orders")
        server.administer("INSERT INTO orders (id) VALUES (1)")
        failing(query, sql="INSERT INTO orders (id) VALUES (2) RETURNING id")
        assert server.ask("SELECT id FROM orders") == [(1,)]

    def test_numbers_are_exact(self, query: Query) -> None:
        sql = "SELECT 12345678901234567890.12 AS a, 9007199254740993 AS b, CAST(1.10 AS DECIMAL(5, 2)) AS c"
        assert query(sql=sql)["rows"] == [{"a": "12345678901234567890.12", "b": 9007199254740993, "c": 1.1}]

    def test_more_rows_than_wanted_are_an_error(self, query: Query, server: SqlServer) -> None:
        server.administer("INSERT INTO orders (id) VALUES (1), (2), (3)")
        assert query(sql="SELECT id FROM orders", mostRows=3)["count"] == 3
        error = failing(query, sql="SELECT id FROM orders", mostRows=2)
        assert (error.permanent, "mostRows" in str(error)) == (True, True)

    def test_two_columns_of_one_name_are_an_error(self, query: Query) -> None:
        assert "called 'a'" in str(failing(query, sql="SELECT 1 AS a, 2 AS a"))

    def test_rows_as_a_file(self, query: Query, make_context: MakeContext) -> None:
        files = KeptFiles()
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n"
        output = query(within=replace(make_context(seconds=20), files=files), sql=numbers, result="file", mostRows=1)
        [content] = files.contents.values()
        assert (output["count"], output["file"]["name"]) == (900, "rows.jsonl")
        assert content.splitlines()[:2] == [b'{"i":1}', b'{"i":2}']

    def test_a_file_has_its_limit(self, query: Query, make_context: MakeContext) -> None:
        within = replace(make_context(seconds=20), files=KeptFiles(most_bytes=100))
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n"
        assert "more than 100 bytes" in str(failing(query, within=within, sql=numbers, result="file"))


class TestParameters:
    def test_are_bound_whatever_they_hold(self, query: Query, server: SqlServer) -> None:
        name = "Robert'); DROP TABLE orders; -- \\' \" % %s :x {{"
        query(
            operation="execute",
            sql="INSERT INTO orders (id, name) VALUES (:id, :name)",
            parameters={"id": 1, "name": name},
        )
        found = query(sql="SELECT name FROM orders WHERE name = :name", parameters={"name": name})
        assert found["rows"] == [{"name": name}]

    def test_a_list_stands_for_its_members(self, query: Query, server: SqlServer) -> None:
        server.administer("INSERT INTO orders (id) VALUES (1), (2), (3)")
        sql = "SELECT id FROM orders WHERE id IN (:ids) ORDER BY id"
        assert query(sql=sql, parameters={"ids": [1, 3, 9]})["rows"] == [{"id": 1}, {"id": 3}]
        assert query(sql=sql, parameters={"ids": []})["rows"] == []

    def test_texts_and_comments_are_left_alone(self, query: Query) -> None:
        sql = "SELECT ':no' AS a, '100%' AS b, :yes AS c /* :no */ -- :no"
        assert query(sql=sql, parameters={"yes": "y"})["rows"] == [{"a": ":no", "b": "100%", "c": "y"}]
        assert query(sql="SELECT '100%' AS b -- ünd :no")["rows"] == [{"b": "100%"}]

    @pytest.mark.parametrize(
        ("parameters", "text"),
        [
            ({}, "there is no parameter 'id'"),
            ({"ID": 1}, "did you mean 'ID'"),
            ({"id": 1, "x": 2}, "'x' is not in the SQL"),
        ],
    )
    def test_what_does_not_fit_is_named(self, query: Query, parameters: dict[str, Any], text: str) -> None:
        error = failing(query, sql="SELECT :id AS id", parameters=parameters)
        assert error.permanent
        assert text in str(error)


class TestWriting:
    def test_many_rows_go_in_batches(self, query: Query, server: SqlServer) -> None:
        rows = [{"id": number, "name": f"n{number}", "amount": "1.25"} for number in range(5_000)]
        assert query(operation="insert", table="orders", rows=rows) == {"count": 5_000}
        assert [(int(n), str(total)) for n, total in server.ask("SELECT count(*), sum(amount) FROM orders")] == [
            (5_000, "6250.00")
        ]

    def test_all_or_none(self, query: Query, server: SqlServer) -> None:
        error = failing(query, operation="insert", table="orders", rows=[{"id": 1}, {"id": 2, "name": "x"}, {"id": 1}])
        assert (error.permanent, error.answered) == (True, True)
        assert server.ask("SELECT count(*) FROM orders") == [(0,)]

    def test_updates_by_keys(self, query: Query, server: SqlServer) -> None:
        server.administer("INSERT INTO orders (id, name) VALUES (1, 'a'), (2, 'b')")
        rows = [{"id": 1, "name": "new"}, {"id": 7, "name": "none"}]
        assert query(operation="update", table="orders", rows=rows, keys="id") == {"count": 1}
        assert server.ask("SELECT name FROM orders ORDER BY id") == [("new",), ("b",)]

    def test_upserts_by_keys(self, query: Query, server: SqlServer) -> None:
        server.administer("INSERT INTO orders (id, name, amount) VALUES (1, 'a', 5)")
        rows = [{"id": 1, "name": "new"}, {"id": 2, "name": "b"}]
        assert query(operation="upsert", table="orders", rows=rows, keys=["id"]) == {"count": 2}
        assert query(operation="upsert", table="orders", rows={"id": 1}, keys=["id"]) == {"count": 1}
        assert [(i, n, a and int(a)) for i, n, a in server.ask("SELECT * FROM orders ORDER BY id")] == [
            (1, "new", 5),
            (2, "b", None),
        ]

    def test_names_may_hold_quotes(self, query: Query, server: SqlServer) -> None:
        mark = "`" if server.kind == "mysql" else '"'
        table, column = f"odd {mark}; table%", f"a{mark}b%s"
        quoted = [mark + name.replace(mark, mark * 2) + mark for name in (table, column)]
        server.administer(f"CREATE TABLE {quoted[0]} ({quoted[1]} INT PRIMARY KEY)")
        try:
            for operation in ("insert", "upsert"):
                output = query(operation=operation, table=table, rows=[{column: 1}], keys=[column])
                assert output == {"count": 1}
        finally:
            server.administer(f"DROP TABLE {quoted[0]}")

    def test_bytes_are_files(self, query: Query, server: SqlServer) -> None:
        blob = "LONGBLOB" if server.kind == "mysql" else "BYTEA"
        server.administer("DROP TABLE orders", f"CREATE TABLE orders (id INT, data {blob})")
        content = bytes(range(256))
        file = {"name": "a.bin", "type": "x/y", "base64": base64.b64encode(content).decode()}
        query(operation="insert", table="orders", rows=[{"id": 1, "data": {**file, "size": 256, "sha256": ""}}])
        [row] = query(sql="SELECT data FROM orders")["rows"]
        assert (row["data"]["name"], base64.b64decode(row["data"]["base64"])) == ("data", content)

    def test_objects_and_lists_are_json(self, query: Query, server: SqlServer) -> None:
        server.administer("DROP TABLE orders", "CREATE TABLE orders (id INT, data JSON)")
        query(operation="insert", table="orders", rows=[{"id": 1, "data": {"a": [1, "ü"]}}])
        [row] = query(sql="SELECT data FROM orders")["rows"]
        assert row["data"] in ({"a": [1, "ü"]}, '{"a":[1,"ü"]}')

    @pytest.mark.parametrize(
        ("config", "text"),
        [
            ({"operation": "insert", "rows": []}, "table is required"),
            ({"operation": "upsert", "table": "orders", "rows": [{"id": 1}]}, "keys is required"),
            ({"operation": "update", "table": "orders", "keys": ["id"], "rows": [{"name": "x"}]}, "no 'id'"),
            ({"operation": "insert", "table": "orders", "rows": [{}]}, "a row is empty"),
            ({"operation": "insert", "table": "orders", "rows": [{"a\0": 1}]}, "no name of a table or column"),
            ({"operation": "insert", "table": "nowhere", "rows": [{"id": 1}]}, "nowhere"),
            ({"operation": "query"}, "sql is required"),
            ({"sql": "SELEC 1"}, "SELEC"),
            ({"sql": "SELECT 1", "mostRows": 0}, "mostRows"),
        ],
    )
    def test_what_is_wrong_is_named(self, query: Query, config: dict[str, Any], text: str) -> None:
        error = failing(query, **config)
        assert error.permanent
        assert text in str(error)


ADAS_SESSIONS = "SELECT id FROM information_schema.processlist WHERE user = 'ada'"
SLEEP = {"postgresql": "SELECT pg_sleep(60)", "mysql": "SELECT SLEEP(60) FROM orders"}
SLEEPING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active'"
    " AND pid <> pg_backend_pid()",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(60)%'"
    " AND id <> connection_id()",
}


class TestTime:
    @pytest.mark.parametrize("operation", ["query", "execute"])
    def test_a_statement_ends_on_the_server_too(
        self, query: Query, server: SqlServer, make_context: MakeContext, operation: str
    ) -> None:
        server.administer("INSERT INTO orders (id) VALUES (1)")
        error = failing(query, within=make_context(seconds=1.5), operation=operation, sql=SLEEP[server.kind])
        assert not error.permanent
        assert "time limit" in str(error)
        assert [int(n) for (n,) in server.ask(SLEEPING[server.kind])] == [0]

    def test_a_row_that_is_locked_is_not_waited_for_longer(
        self, query: Query, server: SqlServer, make_context: MakeContext
    ) -> None:
        server.administer("INSERT INTO orders (id) VALUES (1)")
        holder = server.connect()
        holder.cursor().execute("UPDATE orders SET name = 'held' WHERE id = 1")
        change = {"operation": "update", "table": "orders", "keys": ["id"], "rows": [{"id": 1, "name": "mine"}]}
        try:
            error = failing(query, within=make_context(seconds=2), **change)
        finally:
            holder.close()
        assert not error.permanent
        assert query(**change) == {"count": 1}


class TestServers:
    def test_a_connection_is_tried_out(self, server: SqlServer, make_context: MakeContext) -> None:
        kind = load_catalog().connection_kinds[server.kind]
        assert kind.try_out(dict(server.connection), make_context())
        with pytest.raises(ConnectorError, match="user name or password") as caught:
            kind.try_out({**server.connection, "password": "wr0ng"}, make_context())
        assert (caught.value.permanent, "wr0ng" in str(caught.value)) == (True, False)

    def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, server: SqlServer, make_context: MakeContext
    ) -> None:
        kind = load_catalog().connection_kinds[server.kind]
        public = {key: value for key, value in server.connection.items() if key != "authorities"}
        with pytest.raises(ConnectorError, match="certificate"):
            kind.try_out(public, make_context())
        assert kind.try_out({**public, "tls": "unverified"}, make_context())
        assert kind.try_out({**public, "tls": "off"}, make_context())

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "localhost", "/var/run/postgresql", "@abstract", "127.0.0.1,127.0.0.1"]
    )
    def test_private_addresses_and_sockets_are_refused(
        self, server: SqlServer, make_context: MakeContext, host: str
    ) -> None:
        with pytest.raises(ConnectorError) as caught:
            load_catalog().connection_kinds[server.kind].try_out(
                {**server.connection, "host": host}, make_context(networks="")
            )
        assert caught.value.permanent

    def test_sessions_are_kept_for_the_next_step_of_the_account(
        self, query: Query, server: SqlServer, make_context: MakeContext
    ) -> None:
        who = {"postgresql": "SELECT pg_backend_pid() AS id", "mysql": "SELECT connection_id() AS id"}[server.kind]
        context = make_context(seconds=20)
        first = query(within=context, sql=who)
        assert query(within=context, sql=who) == first
        failing(query, within=context, sql="SELECT nothing_there")
        assert query(within=context, sql=who) == first, "a refusal leaves the session as it was"
        other = replace(context, user_id=context.user_id.__class__(int=7))
        assert query(within=other, sql=who) != first

    def test_settings_of_a_step_do_not_reach_the_next(
        self, query: Query, server: SqlServer, make_context: MakeContext
    ) -> None:
        set_, show = {
            "postgresql": ("SET search_path = pg_catalog", "SELECT current_setting('search_path') AS v"),
            "mysql": ("SET @v = 'x'", "SELECT @v AS v"),
        }[server.kind]
        context = make_context(seconds=20)
        before = query(within=context, sql=show)
        query(within=context, operation="execute", sql=set_)
        assert query(within=context, sql=show) == before

    def test_a_server_that_ends_a_session_in_between_is_not_noticed(
        self, query: Query, server: SqlServer, make_context: MakeContext
    ) -> None:
        context = make_context(seconds=20)
        query(within=context, sql="SELECT 1 AS a")
        end_sessions(server)
        assert query(within=context, sql="SELECT 1 AS a")["rows"] == [{"a": 1}]

    def test_a_session_that_ends_in_the_middle_is_an_error_that_may_pass(
        self, query: Query, server: SqlServer, make_context: MakeContext
    ) -> None:
        server.administer("INSERT INTO orders (id) VALUES (1)")
        ending = threading.Timer(0.5, end_sessions, [server])
        ending.start()
        began = time.monotonic()
        error = failing(query, within=make_context(seconds=20), sql=SLEEP[server.kind])
        ending.join()
        assert not error.permanent
        assert time.monotonic() - began < 15, "nobody waits for the time limit"

    def test_what_is_no_database_is_told(self, server: SqlServer, make_context: MakeContext, httpserver: Any) -> None:
        with pytest.raises(ConnectorError) as caught:
            load_catalog().connection_kinds[server.kind].try_out(
                {**server.connection, "port": httpserver.port}, make_context(seconds=2)
            )
        assert "\n" not in str(caught.value)


def end_sessions(server: SqlServer) -> None:
    """Returns when the server has closed them: it ends a session a moment after it was told to."""
    if server.kind == "postgresql":
        server.administer("SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE usename = 'ada'")
        return
    for (number,) in server.ask(ADAS_SESSIONS):
        with suppress(Exception):  # it may have ended by itself
            server.administer(f"KILL {number}")
    eventually(lambda: not server.ask(ADAS_SESSIONS))
