"""SQL_QUERY on SQL Server's protocol: a stand-in in front of SQLite answers, see tests/services/tds_server.py."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pytds import tds_types

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext, writing
from flowforge.connectors.sql.dialect import Dialect, Upsert
from tests.connectors.certificate import make_certificate
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import failing, run_with
from tests.services.tds_server import (
    ERROR,
    MORE,
    Answer,
    TdsServer,
    done_token,
    error_token,
    serving_tds,
    transaction_token,
)
from tests.waiting import eventually

MakeContext = Callable[..., StepContext]
Query = Callable[..., dict[str, Any]]
PASSWORD = "s3cret pass"
ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, amount REAL)"
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TdsServer]:
    server = TdsServer(tmp_path / "database", "ada", PASSWORD, make_certificate(tmp_path, "127.0.0.1"))
    server.administer(ORDERS)
    with serving_tds(server):
        yield server


@pytest.fixture
def saved(server: TdsServer) -> dict[str, Any]:
    """The connection that reaches it."""
    assert server.certificate is not None
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "database": "shop",
        "username": "ada",
        "password": PASSWORD,
        "authorities": server.certificate.authority.read_text(),
    }


@pytest.fixture
def query(saved: dict[str, Any], make_context: MakeContext) -> Query:
    context = replace(make_context(seconds=20), files=KeptFiles())

    def run_step(*, within: StepContext = context, **config: Any) -> dict[str, Any]:
        return run_with("SQL_QUERY", "sqlserver", saved, config, within)

    return run_step


class TestReading:
    def test_rows_are_objects(self, query: Query, server: TdsServer) -> None:
        server.administer("INSERT INTO orders VALUES (1, 'Ann', 9.5), (2, 'Böb ☃', NULL)")
        output = query(sql="SELECT id, name, amount FROM [orders] ORDER BY id")
        rows = [{"id": 1, "name": "Ann", "amount": 9.5}, {"id": 2, "name": "Böb ☃", "amount": None}]
        assert output == {"rows": rows, "count": 2}

    def test_parameters_are_bound_whatever_they_hold(self, query: Query) -> None:
        name = "Robert'); DROP TABLE orders; -- \\' \" % %s :x ] {{"
        sql = "SELECT :name AS name, :n AS n, :big AS big, :f AS f, :b AS b, :no AS no, '100%' AS [a :b c]"
        parameters = {"name": name, "n": 7, "big": 2**53 + 1, "f": 0.5, "b": True, "no": None}
        [row] = query(sql=sql, parameters=parameters)["rows"]
        assert query(sql="SELECT :n AS n", parameters={"n": 2**80})["rows"] == [{"n": str(2**80)}]
        assert query(sql="SELECT :n AS n", parameters={"n": 10**40})["rows"] == [{"n": str(10**40)}]
        assert row == {**parameters, "b": 1, "a :b c": "100%"}

    def test_a_list_stands_for_its_members(self, query: Query, server: TdsServer) -> None:
        server.administer("INSERT INTO orders (id) VALUES (1), (2), (3)")
        sql = "SELECT id FROM orders WHERE id IN (:ids) ORDER BY id"
        assert query(sql=sql, parameters={"ids": [1, 3, 9]})["rows"] == [{"id": 1}, {"id": 3}]
        assert query(sql=sql, parameters={"ids": []})["rows"] == []

    def test_many_rows_are_not_held(self, query: Query, server: TdsServer) -> None:
        assert query(sql=NUMBERS.format(5_000), result="file")["count"] == 5_000
        error = failing(query, sql=NUMBERS.format(10_000_000))
        assert (error.permanent, "mostRows" in str(error)) == (True, True)

    def test_the_rest_of_the_rows_is_not_wanted(self, query: Query, server: TdsServer) -> None:
        assert query(operation="first", sql=NUMBERS.format(1_000_000)) == {"row": {"i": 1}}
        assert server.attentions == 1, "whose answer was waited for"
        assert query(operation="first", sql="SELECT 7 AS n") == {"row": {"n": 7}}
        assert server.connections == 1

    def test_reading_changes_nothing(self, query: Query, server: TdsServer) -> None:
        query(sql="INSERT INTO orders (id) VALUES (1)")
        assert server.administer("SELECT count(*) FROM orders") == [(0,)]
        assert "COMMIT would end the transaction" in str(failing(query, sql="DELETE FROM orders; COMMIT"))
        assert query(sql="SELECT 'commit' AS [commit] -- rollback")["rows"] == [{"commit": "commit"}]

    def test_columns_without_a_name_get_one(self, query: Query, server: TdsServer) -> None:
        server.answers["SELECT 1, 2"] = Answer([("", tds_types.IntType()), ("", tds_types.IntType())], [(1, 2)])
        assert query(sql="SELECT 1, 2")["rows"] == [{"column_1": 1, "column_2": 2}]


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        (tds_types.BitType(), True, True),
        (tds_types.TinyIntType(), 255, 255),
        (tds_types.BigIntType(), -(2**63), -(2**63)),
        (tds_types.DecimalType(precision=38, scale=2), Decimal("12345678901234567890.12"), "12345678901234567890.12"),
        (tds_types.DecimalType(precision=10, scale=2), Decimal("1.10"), 1.1),
        (tds_types.MoneyType(), Decimal("9.5"), 9.5),
        (tds_types.FloatType(), 0.1, 0.1),
        (tds_types.DateType(), date(2026, 3, 4), "2026-03-04"),
        (tds_types.TimeType(precision=6), time(5, 6, 7), "05:06:07"),
        (tds_types.DateTime2Type(precision=6), datetime(2026, 3, 4, 5, 6, 7, 89), "2026-03-04T05:06:07.000089"),
        (
            tds_types.DateTimeOffsetType(precision=6),
            datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2))),
            "2026-03-04T03:06:07Z",
        ),
        (
            tds_types.UniqueIdentifierType(),
            UUID("0193a1b2-0000-7000-8000-000000000001"),
            "0193a1b2-0000-7000-8000-000000000001",
        ),
        (tds_types.NVarCharType(size=10), "ü☃", "ü☃"),
        (tds_types.NVarCharMaxType(), None, None),
        (tds_types.VarCharType(size=10), "abc", "abc"),
        (tds_types.VarCharMaxType(), "abc", "abc"),
        (tds_types.XmlType(), "<a>ü</a>", "<a>ü</a>"),
        (tds_types.RealType(), 0.5, 0.5),
        (tds_types.SmallDateTimeType(), datetime(2026, 3, 4, 5, 6), "2026-03-04T05:06:00"),
        (tds_types.DateTimeType(), datetime(2026, 3, 4, 5, 6, 7), "2026-03-04T05:06:07"),
    ],
)
def test_values_become_json(query: Query, server: TdsServer, type_: Any, value: Any, shown: Any) -> None:
    server.answers["SELECT v"] = Answer([("v", type_)], [(value,)])
    assert query(sql="SELECT v")["rows"] == [{"v": shown}]


def test_a_value_that_the_server_has_cut_off_is_an_error(query: Query, server: TdsServer) -> None:
    long = Answer([("v", tds_types.NVarCharMaxType())], [("x" * (8 * 1024 * 1024),)])
    server.answers["SELECT v"] = long
    assert "a value has more than 16777216 bytes" in str(failing(query, sql="SELECT v"))


def test_a_row_has_its_bound(query: Query, server: TdsServer) -> None:
    columns = [(f"c{n}", tds_types.VarBinaryMaxType()) for n in range(5)]
    server.answers["SELECT v"] = Answer(columns, [[bytes(15 * 1024 * 1024)] * 5])
    error = failing(query, sql="SELECT v")
    assert (error.permanent, "more than 67108864 bytes" in str(error)) == (True, True)


class TestWriting:
    def test_many_rows_go_in_batches(self, query: Query, server: TdsServer) -> None:
        rows = [{"id": number, "name": f"n{number}", "amount": 1.25} for number in range(3_000)]
        assert query(operation="insert", table="orders", rows=rows) == {"count": 3_000}
        assert server.administer("SELECT count(*), sum(amount) FROM orders") == [(3_000, 3750.0)]

    def test_all_or_none(self, query: Query, server: TdsServer) -> None:
        error = failing(query, operation="insert", table="orders", rows=[{"id": 1}, {"id": 2, "name": "x"}, {"id": 1}])
        assert (error.permanent, error.answered) == (True, True)
        assert "[2627]" in str(error)
        assert server.administer("SELECT count(*) FROM orders") == [(0,)]

    def test_updates_by_keys(self, query: Query, server: TdsServer) -> None:
        server.administer("INSERT INTO orders (id, name) VALUES (1, 'a'), (2, 'b')")
        rows = [{"id": 1, "name": "new"}, {"id": 7, "name": None}]
        assert query(operation="update", table="orders", rows=rows, keys="id") == {"count": 1}
        assert server.administer("SELECT name FROM orders ORDER BY id") == [("new",), ("b",)]

    def test_what_a_statement_gives_back_comes_with_its_count(self, query: Query, server: TdsServer) -> None:
        sql = "INSERT INTO orders (id, name) VALUES (:id, 'a'), (2, 'b') RETURNING id"
        output = query(operation="execute", sql=sql, parameters={"id": 1})
        assert output == {"rows": [{"id": 1}, {"id": 2}], "count": 2}
        assert query(operation="execute", sql="DELETE FROM orders") == {"count": 2}

    def test_names_may_hold_quotes(self, query: Query, server: TdsServer) -> None:
        server.administer('CREATE TABLE "odd; table%" ("a b%s" INT)')
        assert query(operation="insert", table="odd; table%", rows=[{"a b%s": 1}]) == {"count": 1}

    def test_bytes_are_files(self, query: Query, server: TdsServer) -> None:
        server.administer("CREATE TABLE files (data BLOB)")
        content = bytes(range(256)) * 40
        file = {"name": "a", "type": "x/y", "base64": base64.b64encode(content).decode(), "size": 10_240, "sha256": ""}
        query(operation="insert", table="files", rows=[{"data": file}])
        [row] = query(sql="SELECT data FROM files")["rows"]
        assert base64.b64decode(row["data"]["base64"]) == content

    def test_upserts_are_one_merge(self) -> None:
        dialect = Dialect("[", "]", "brackets", 2_000, Upsert.merge)
        [statement] = writing.upsert(dialect, "dbo.a]b", [{"id": 1, "n%": 2}, {"id": 3, "n%": 4}], ["id"])
        assert statement.text == (
            "MERGE INTO [dbo].[a]]b] WITH (HOLDLOCK) AS target USING (VALUES (%s, %s), (%s, %s))"
            " AS source ([id], [n%%])"
            " ON target.[id] = source.[id] WHEN MATCHED THEN UPDATE SET target.[n%%] = source.[n%%]"
            " WHEN NOT MATCHED THEN INSERT ([id], [n%%]) VALUES (source.[id], source.[n%%]);"
        )
        [statement] = writing.upsert(dialect, "a", [{"id": 1}], ["id"])
        assert "WHEN MATCHED" not in statement.text


class TestTime:
    @pytest.mark.parametrize("operation", ["query", "execute"])
    def test_the_server_is_told_to_end(
        self, query: Query, server: TdsServer, make_context: MakeContext, operation: str
    ) -> None:
        error = failing(query, within=make_context(seconds=1.5), operation=operation, sql="WAITFOR DELAY '00:01'")
        assert (error.permanent, "time limit" in str(error)) == (False, True)
        eventually(lambda: server.attentions == 1)

    def test_locks_have_the_same_limit(self, query: Query, server: TdsServer) -> None:
        query(sql="SELECT 1 AS one")
        [settings] = [text for text in server.statements if text.startswith("SET ")]
        milliseconds = int(settings.partition("LOCK_TIMEOUT ")[2].partition(";")[0])
        assert 10_000 < milliseconds < 20_000


class TestServers:
    def test_a_connection_is_tried_out(self, saved: dict[str, Any], make_context: MakeContext) -> None:
        kind = load_catalog().connection_kinds["sqlserver"]
        assert kind.try_out(saved, make_context())
        with pytest.raises(ConnectorError, match="user name or password") as caught:
            kind.try_out({**saved, "password": "wr0ng"}, make_context())
        assert (caught.value.permanent, "wr0ng" in str(caught.value)) == (True, False)

    def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, saved: dict[str, Any], make_context: MakeContext
    ) -> None:
        kind = load_catalog().connection_kinds["sqlserver"]
        public = {key: value for key, value in saved.items() if key != "authorities"}
        with pytest.raises(ConnectorError, match="certificate"):
            kind.try_out(public, make_context())
        with pytest.raises(ConnectorError, match="certificate"):
            kind.try_out({**saved, "host": "localhost"}, make_context(networks="127.0.0.0/8,::1/128"))
        assert kind.try_out({**public, "tls": "unverified"}, make_context())

    def test_both_have_to_want_tls_or_both_not(
        self, saved: dict[str, Any], tmp_path: Path, make_context: MakeContext
    ) -> None:
        kind = load_catalog().connection_kinds["sqlserver"]
        with pytest.raises(ConnectorError, match="TLS alone"):
            kind.try_out({**saved, "tls": "off"}, make_context())
        with serving_tds(TdsServer(tmp_path / "clear", "ada", PASSWORD)) as clear:
            with pytest.raises(ConnectorError, match="does not speak TLS"):
                kind.try_out({**saved, "port": clear.port}, make_context())
            assert kind.try_out({**saved, "port": clear.port, "tls": "off"}, make_context())

    def test_a_session_is_kept_and_begun_anew_for_each_step(
        self, query: Query, server: TdsServer, make_context: MakeContext
    ) -> None:
        context = make_context(seconds=20)
        for _ in range(3):
            query(within=context, sql="SELECT 1 AS one")
        failing(query, within=context, sql="SELECT nothing FROM nowhere")
        query(within=context, sql="SELECT 1 AS one")
        assert (server.connections, server.resets) == (1, 4)
        query(within=replace(context, user_id=UUID(int=7)), sql="SELECT 1 AS one")
        assert server.connections == 2

    def test_after_an_error_in_the_middle_of_an_answer_the_session_goes_on(
        self, query: Query, server: TdsServer
    ) -> None:
        error = (
            error_token(8134, "Divide by zero error encountered.") + transaction_token(10) + done_token(ERROR | MORE)
        )
        server.raw["SELECT 1/0; SELECT 2"] = error
        assert "[8134]" in str(failing(query, sql="SELECT 1/0; SELECT 2"))
        assert query(sql="SELECT 3 AS three")["rows"] == [{"three": 3}]
        assert (server.connections, server.attentions, server.resets) == (1, 1, 1)

    def test_another_server_to_which_it_sends_us_is_called_by_the_rules(
        self, saved: dict[str, Any], server: TdsServer, tmp_path: Path, make_context: MakeContext
    ) -> None:
        kind = load_catalog().connection_kinds["sqlserver"]
        with serving_tds(TdsServer(tmp_path / "gateway", "ada", PASSWORD, server.certificate)) as gateway:
            gateway.route = ("127.0.0.1", server.port)
            assert kind.try_out({**saved, "port": gateway.port}, make_context())
            assert "SELECT 1 AS one" in server.statements
            for host, port, text in (
                ("10.0.0.1", 1433, "private network"),
                ("127.0.0.1", 22, "another kind of service"),
            ):
                gateway.route = (host, port)
                with pytest.raises(ConnectorError, match=text):
                    kind.try_out({**saved, "port": gateway.port}, make_context(networks="127.0.0.1/32"))
            gateway.route = ("127.0.0.1", gateway.port)
            with pytest.raises(ConnectorError, match="on and on"):
                kind.try_out({**saved, "port": gateway.port}, make_context())

    def test_private_addresses_are_refused(self, saved: dict[str, Any], make_context: MakeContext) -> None:
        with pytest.raises(ConnectorError, match="private network"):
            load_catalog().connection_kinds["sqlserver"].try_out(saved, make_context(networks=""))

    def test_a_server_that_dies_in_the_middle_may_pass(self, query: Query, server: TdsServer) -> None:
        server.ends_at = "SELECT 2 AS two"
        assert not failing(query, sql="SELECT 2 AS two").permanent
        assert query(sql="SELECT 3 AS three")["count"] == 1

    def test_one_that_dies_while_it_commits_leaves_it_uncertain(self, query: Query, server: TdsServer) -> None:
        server.ends_at = "COMMIT"
        error = failing(query, operation="execute", sql="INSERT INTO orders (id) VALUES (1)")
        assert (error.permanent, error.answered, "nobody knows" in str(error)) == (True, False, True)

    def test_one_that_says_nothing_while_it_commits_leaves_it_uncertain(
        self, query: Query, server: TdsServer, make_context: MakeContext
    ) -> None:
        server.hangs_at = "COMMIT"
        insert = "INSERT INTO orders (id) VALUES (1)"
        error = failing(query, within=make_context(seconds=1.5), operation="execute", sql=insert)
        assert (error.permanent, "nobody knows" in str(error)) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00" * 50,
        b"\xff" * 50,
        b"HTTP/1.1 400 Bad Request",
        struct.pack("<BH", 0x81, 1) + struct.pack("<IHB", 0, 1, 0xE7) + b"\xff\xff" + bytes(5) + b"\x01v\x00"
        + b"\xd1" + struct.pack("<QI", 2**64 - 2, 2**31),
    ],
)  # fmt: skip
def test_odd_answers_are_told(query: Query, server: TdsServer, make_context: MakeContext, answer: bytes) -> None:
    server.raw["SELECT odd"] = answer
    error = failing(query, within=make_context(seconds=5), sql="SELECT odd")
    assert "\n" not in str(error)


def test_what_is_no_sql_server_is_told(saved: dict[str, Any], make_context: MakeContext, httpserver: Any) -> None:
    with pytest.raises(ConnectorError):
        load_catalog().connection_kinds["sqlserver"].try_out(
            {**saved, "port": httpserver.port}, make_context(seconds=2)
        )


@pytest.mark.parametrize("tls", ["verify", "off"])
def test_a_server_that_says_nothing_is_waited_for_until_the_deadline(
    saved: dict[str, Any], make_context: MakeContext, silent_port: int, tls: str
) -> None:
    kind = load_catalog().connection_kinds["sqlserver"]
    with pytest.raises(ConnectorError) as caught:
        kind.try_out({**saved, "port": silent_port, "tls": tls}, make_context(seconds=0.5))
    assert not caught.value.permanent
