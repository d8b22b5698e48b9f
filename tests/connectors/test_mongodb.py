"""MONGODB against a real server with TLS and a password: what it gives and takes, bad input, time limits, ends."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId, Regex, Timestamp
from pymongo import MongoClient

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.certificate import make_certificate
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import failing, run_with
from tests.services.mongo_fixture import running_secantus

MakeContext = Callable[..., StepContext]
Ask = Callable[..., dict[str, Any]]
PASSWORD = "s3cret pass"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], MongoClient[Any]]]:
    """The connection that reaches it, and a client of its operator."""
    folder: Path = tmp_path_factory.mktemp("mongodb")
    certificate = make_certificate(folder, "127.0.0.1")
    with running_secantus(folder) as url, MongoClient[Any](url) as client:
        client.admin.command("createUser", "ada", pwd=PASSWORD, roles=["root"])
    tls = ("--tls-cert-file", str(certificate.chain), "--tls-key-file", str(certificate.key))
    own = {"tls": True, "tlsCAFile": str(certificate.authority), "username": "ada", "password": PASSWORD}
    with (
        running_secantus(folder, "--auth", "--enable-test-commands", *tls, **own) as url,
        MongoClient[Any](url, **own) as client,
    ):
        yield (
            {
                "host": "127.0.0.1",
                "port": int(url.rpartition(":")[2]),
                "database": "shop",
                "username": "ada",
                "password": PASSWORD,
                "authorities": certificate.authority.read_text(),
            },
            client,
        )


@pytest.fixture
def connection(server: tuple[dict[str, Any], Any]) -> dict[str, Any]:
    return server[0]


@pytest.fixture
def orders(server: tuple[Any, MongoClient[Any]]) -> Any:
    """The operator's view of the collection that steps write to."""
    collection = server[1].shop.orders
    collection.drop()
    return collection


@pytest.fixture
def ask(connection: dict[str, Any], orders: Any, make_context: MakeContext) -> Ask:
    context = replace(make_context(seconds=20), files=KeptFiles())

    def run_step(operation: str, *, within: StepContext = context, **config: Any) -> dict[str, Any]:
        return run_with(
            "MONGODB", "mongodb", connection, {"operation": operation, "collection": "orders", **config}, within
        )

    return run_step


@contextmanager
def failing_commands(
    client: MongoClient[Any], commands: list[str], mode: dict[str, int] | None = None, **failure: Any
) -> Iterator[None]:
    """Makes the server fail the next of these commands."""
    data = {"failCommands": commands, **failure}
    client.admin.command({"configureFailPoint": "failCommand", "mode": mode or {"times": 1}, "data": data})
    try:
        yield
    finally:
        client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


class TestReading:
    def test_documents_are_found_sorted_and_cut(self, ask: Ask, orders: Any) -> None:
        orders.insert_many([{"_id": number, "total": number * 10} for number in range(5)])
        found = ask("find", filter={"total": {"$gt": 0}}, sort={"total": -1}, projection={"_id": 0}, skip=1, limit=2)
        assert found == {"documents": [{"total": 30}, {"total": 20}], "count": 2}
        assert ask("first", sort={"total": -1}) == {"document": {"_id": 4, "total": 40}}
        assert ask("first", filter={"total": 7}) == {"document": None}
        assert (ask("count"), ask("count", filter={"total": 7})) == ({"count": 5}, {"count": 0})

    def test_a_pipeline_aggregates(self, ask: Ask, orders: Any) -> None:
        orders.insert_many([{"who": "ann", "total": 5}, {"who": "bob", "total": 1}, {"who": "ann", "total": 2}])
        pipeline = [{"$group": {"_id": "$who", "sum": {"$sum": "$total"}}}, {"$sort": {"_id": 1}}]
        assert ask("aggregate", pipeline=pipeline)["documents"] == [{"_id": "ann", "sum": 7}, {"_id": "bob", "sum": 1}]

    def test_many_documents_come_in_batches(self, ask: Ask, orders: Any) -> None:
        orders.insert_many([{"_id": number} for number in range(1_001)])
        assert ask("find", mostDocuments=1_001)["count"] == 1_001
        error = failing(ask, "find", mostDocuments=1_000)
        assert (error.permanent, "mostDocuments" in str(error)) == (True, True)
        output = ask("find", result="file")
        assert (output["count"], output["file"]["name"]) == (1_001, "documents.jsonl")

    def test_what_was_not_fetched_is_forgotten_by_the_server(
        self, ask: Ask, orders: Any, server: tuple[Any, MongoClient[Any]]
    ) -> None:
        orders.insert_many([{"_id": number} for number in range(1_001)])
        failing(ask, "find", mostDocuments=10)
        assert server[1].admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"] == 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ObjectId("65f0a1b2c3d4e5f600000001"), "65f0a1b2c3d4e5f600000001"),
        (Int64(9_007_199_254_740_993), 9_007_199_254_740_993),
        (datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC), "2026-03-04T05:06:07.089000Z"),
        (Decimal128("1.10"), 1.1),
        (Decimal128("12345678901234567890.12"), "12345678901234567890.12"),
        (float("nan"), None),
        (Timestamp(7, 1), {"$timestamp": {"t": 7, "i": 1}}),
        (Regex("^a", "i"), {"$regularExpression": {"pattern": "^a", "options": "i"}}),
        ([{"a": [1, None, {"b": ObjectId("65f0a1b2c3d4e5f600000001")}]}], None),
    ],
)
def test_values_become_json(ask: Ask, orders: Any, value: Any, shown: Any) -> None:
    orders.insert_one({"_id": 1, "value": value})
    nested = [{"a": [1, None, {"b": "65f0a1b2c3d4e5f600000001"}]}]
    assert ask("first")["document"]["value"] == (nested if isinstance(value, list) else shown)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ({"$oid": "65f0a1b2c3d4e5f600000001"}, ObjectId("65f0a1b2c3d4e5f600000001")),
        ({"$numberDecimal": "1.10"}, Decimal128("1.10")),
        ({"$date": "2026-03-04T05:06:07Z"}, datetime(2026, 3, 4, 5, 6, 7)),
        ({"$numberLong": "7"}, Int64(7)),
        (9_007_199_254_740_993, 9_007_199_254_740_993),
        ({"$where": "'quotes' and \"$\"", "a.b": "$x"}, {"$where": "'quotes' and \"$\"", "a.b": "$x"}),
    ],
)
def test_json_becomes_values(ask: Ask, orders: Any, written: Any, stored: Any) -> None:
    ask("insert", documents={"_id": 1, "value": written})
    assert orders.find_one() == {"_id": 1, "value": stored}


def test_bytes_are_files(ask: Ask, orders: Any) -> None:
    content = bytes(range(256))
    file = {"name": "a.bin", "type": "x/y", "base64": base64.b64encode(content).decode(), "size": 256, "sha256": ""}
    ask("insert", documents=[{"_id": 1, "data": file}])
    assert orders.find_one() == {"_id": 1, "data": content}
    shown = ask("first")["document"]["data"]
    assert (shown["name"], base64.b64decode(shown["base64"])) == ("data", content)


class TestWriting:
    def test_documents_get_ids_by_which_they_are_found(self, ask: Ask, orders: Any) -> None:
        output = ask("insert", documents=[{"n": 1}, {"_id": "own", "n": 2}])
        assert (output["count"], output["ids"][1]) == (2, "own")
        found = ask("first", filter={"_id": {"$oid": output["ids"][0]}})
        assert found["document"] == {"_id": output["ids"][0], "n": 1}

    def test_many_documents_go_in_batches(self, ask: Ask, orders: Any) -> None:
        assert ask("insert", documents=[{"_id": number} for number in range(2_500)])["count"] == 2_500
        assert orders.count_documents({}) == 2_500

    def test_a_refusal_in_the_middle_says_how_many_were_written(self, ask: Ask, orders: Any) -> None:
        error = failing(ask, "insert", documents=[{"_id": number} for number in (*range(1_200), 5)])
        assert (error.permanent, error.answered) == (True, True)
        assert "after 1200 documents" in str(error)

    def test_updates_change_the_first_or_all(self, ask: Ask, orders: Any) -> None:
        orders.insert_many([{"_id": number, "n": 0} for number in range(3)])
        change = {"filter": {"n": 0}, "update": {"$inc": {"n": 1}}}
        assert ask("update", **change) == {"count": 1, "changed": 1, "made": 0}
        assert ask("update", **change, many=True) == {"count": 2, "changed": 2, "made": 0}

    def test_upserts_go_by_keys(self, ask: Ask, orders: Any) -> None:
        orders.insert_one({"_id": 1, "sku": "a", "n": 1, "kept": True})
        documents = [{"sku": "a", "n": 2}, {"sku": "b", "n": "$n", "$odd": 1, "a.b": 2}]
        for made in (1, 0):
            assert ask("upsert", documents=documents, keys="sku")["made"] == made, "done twice, it is the same"
        found = [{k: v for k, v in document.items() if k != "_id"} for document in orders.find(sort=[("sku", 1)])]
        assert found == [{"sku": "a", "n": 2, "kept": True}, documents[1]]

    def test_deletes_the_first_or_all(self, ask: Ask, orders: Any) -> None:
        orders.insert_many([{"n": 0}, {"n": 0}, {"n": 0}, {"n": 1}])
        assert ask("delete", filter={"n": 0}) == {"count": 1}
        assert ask("delete", filter={"n": 0}, many=True) == {"count": 2}
        assert orders.count_documents({}) == 1

    @pytest.mark.parametrize(
        ("operation", "config", "text"),
        [
            ("insert", {}, "documents is required"),
            ("insert", {"documents": [{"a": 2**63}]}, "documents: 9223372036854775808 has more than the 64 bits"),
            ("insert", {"documents": [{"a": {"$oid": "x"}}]}, "documents: 'x' is not a valid ObjectId"),
            ("insert", {"documents": [{"a\0b": 1}]}, "NUL"),
            ("insert", {"documents": ["a"]}, "documents.0"),
            ("upsert", {"documents": [{"a": 1}]}, "keys is required"),
            ("upsert", {"documents": [{"a": 1}], "keys": ["b"]}, "documents: one has no 'b'"),
            ("update", {"filter": {"a": 1}, "update": {"a": 2}}, "update: 'a' is no operator"),
            ("update", {"filter": {}, "update": {"$set": {"a": 1}}}, "filter is required"),
            ("delete", {"filter": {}}, "filter is required"),
            ("find", {"filter": {"a": {"$nope": 1}}}, "MongoDB refused it"),
            ("find", {"filter": {"$date": 7, "x": 8}}, "filter: "),
            ("aggregate", {"pipeline": [{"$nope": 1}]}, "MongoDB refused it"),
            ("find", {"mostDocuments": 0}, "mostDocuments"),
            ("count", {"filter": {"$where": "true"}}, "$where runs code on the server"),
        ],
    )
    def test_what_is_wrong_is_named(self, ask: Ask, operation: str, config: dict[str, Any], text: str) -> None:
        error = failing(ask, operation, **config)
        assert error.permanent
        assert text in str(error)

    def test_what_is_nested_too_deeply_is_refused(self, ask: Ask) -> None:
        deep: Any = 1
        for _ in range(150):
            deep = {"a": deep}
        assert "nested deeper" in str(failing(ask, "insert", documents=[{"a": deep}]))


class TestTime:
    def test_the_server_is_told_when_to_end(self, ask: Ask, server: tuple[Any, MongoClient[Any]]) -> None:
        with failing_commands(server[1], ["find"], errorCode=50):
            error = failing(ask, "find")
        assert (error.permanent, "time limit" in str(error)) == (False, True)

    def test_a_server_that_says_nothing_is_not_waited_for(
        self, ask: Ask, orders: Any, make_context: MakeContext, server: tuple[Any, MongoClient[Any]]
    ) -> None:
        with failing_commands(server[1], ["find"], blockConnection=True, blockTimeMS=4_000):
            error = failing(ask, "find", within=make_context(seconds=1))
        assert (error.permanent, "time limit" in str(error)) == (False, True)

    def test_a_change_without_an_answer_is_not_repeated(
        self, ask: Ask, orders: Any, make_context: MakeContext, server: tuple[Any, MongoClient[Any]]
    ) -> None:
        with failing_commands(server[1], ["insert"], closeConnection=True):
            error = failing(ask, "insert", documents=[{"n": 1}])
        assert (error.permanent, error.answered, "nobody knows" in str(error)) == (True, False, True)

    def test_what_was_written_in_part_is_not_repeated(
        self, ask: Ask, orders: Any, server: tuple[Any, MongoClient[Any]]
    ) -> None:
        with failing_commands(server[1], ["insert"], mode={"skip": 1}, errorCode=10107):
            error = failing(ask, "insert", documents=[{"n": number} for number in range(1_500)])
        assert (error.permanent, "after 1000 documents" in str(error)) == (True, True)
        assert orders.count_documents({}) == 1_000

    def test_a_connection_that_ends_while_reading_may_pass(
        self, ask: Ask, orders: Any, server: tuple[Any, MongoClient[Any]]
    ) -> None:
        orders.insert_many([{"_id": number} for number in range(1_001)])
        with failing_commands(server[1], ["getMore"], closeConnection=True):
            error = failing(ask, "find", mostDocuments=5_000)
        assert not error.permanent
        assert ask("find", mostDocuments=5_000)["count"] == 1_001

    def test_a_server_that_is_no_primary_any_more_is_left(
        self, ask: Ask, orders: Any, server: tuple[Any, MongoClient[Any]]
    ) -> None:
        with failing_commands(server[1], ["insert"], errorCode=10107):
            error = failing(ask, "insert", documents=[{"n": 1}])
        assert not error.permanent
        assert ask("insert", documents=[{"n": 1}])["count"] == 1


class TestServers:
    def test_a_connection_is_tried_out(self, connection: dict[str, Any], make_context: MakeContext) -> None:
        kind = load_catalog().connection_kinds["mongodb"]
        assert kind.try_out(connection, make_context())
        with pytest.raises(ConnectorError, match="user name or password") as caught:
            kind.try_out({**connection, "password": "wr0ng"}, make_context())
        assert (caught.value.permanent, "wr0ng" in str(caught.value)) == (True, False)

    def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, connection: dict[str, Any], make_context: MakeContext
    ) -> None:
        kind = load_catalog().connection_kinds["mongodb"]
        public = {key: value for key, value in connection.items() if key != "authorities"}
        with pytest.raises(ConnectorError, match="certificate"):
            kind.try_out(public, make_context())
        with pytest.raises(ConnectorError, match="certificate"):
            kind.try_out({**connection, "host": "localhost"}, make_context(networks="127.0.0.0/8,::1/128"))
        assert kind.try_out({**public, "tls": "unverified"}, make_context())

    def test_sessions_are_kept_for_the_next_step_of_the_account(
        self, ask: Ask, server: tuple[Any, MongoClient[Any]], make_context: MakeContext
    ) -> None:
        def made() -> int:
            return int(server[1].admin.command("serverStatus")["connections"]["totalCreated"])

        context = make_context(seconds=20)
        ask("count", within=context)
        before = made()
        for _ in range(4):
            ask("count", within=context)
        failing(ask, "find", within=context, filter={"a": {"$nope": 1}})
        ask("count", within=context)
        assert made() == before
        ask("count", within=replace(context, user_id=context.user_id.__class__(int=7)))
        assert made() == before + 1
