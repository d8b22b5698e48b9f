"""What every log store promises (flowforge/logbook/port.py), on each implementation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from bson.binary import Binary, UuidRepresentation
from pymongo import MongoClient
from sqlalchemy import Engine, text

from flowforge.errors import Invalid, Unavailable
from flowforge.ids import first_id_at
from flowforge.jsonio import JsonObject
from flowforge.logbook import LogQuery, LogStore, NewEntry
from flowforge.logbook.mongo import MongoLogStore
from flowforge.logbook.postgres import PostgresLogStore
from tests.logged_data import logged_data
from tests.services.kafka_broker import free_ports
from tests.services.mongo_fixture import running_secantus


@pytest.fixture
def mongo_uri(mongo_server: str) -> str:
    return f"{mongo_server}/logs_{uuid4().hex[:8]}"


@pytest.fixture(params=["postgres", "mongo"])
def store(request: pytest.FixtureRequest) -> Iterator[LogStore]:
    made: LogStore
    if request.param == "postgres":
        made = PostgresLogStore(request.getfixturevalue("engine"))
    else:
        made = MongoLogStore(request.getfixturevalue("mongo_uri"), retention_days=30)
    yield made
    made.close()


OWNER, STRANGER, WORKFLOW, EXECUTION, EVENT = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()


def entry(key: str, **changes: object) -> NewEntry:
    made = NewEntry(key, OWNER, WORKFLOW, EXECUTION, None, "RESULT", "SUCCESS", {"output": {"key": key}})
    return replace(made, **changes)  # type: ignore[arg-type]


def test_entries_come_back_as_they_were_written(store: LogStore) -> None:
    event = uuid4()
    data = {"a.b": {"empty": {}}, "list": [1, "two", None]}
    [written] = store.append([entry("one", event_id=event, data=data)])
    [read] = store.find(LogQuery(OWNER), page=0, size=10).entries
    assert read == written
    assert (read.user_id, read.workflow_id, read.execution_id, read.event_id) == (OWNER, WORKFLOW, EXECUTION, event)
    assert read.data == data
    assert len(read.id) == 24


@pytest.mark.parametrize(
    "data",
    [
        {"userId": str(OWNER), "workflowId": str(WORKFLOW), "executionId": str(EXECUTION), "eventId": str(EVENT)},
        {"executionId": str(EXECUTION), "output": {"executionId": str(EXECUTION)}},
        {"userId": str(STRANGER), "workflowId": None, "executionId": str(EXECUTION).upper(), "eventId": True},
        {},
    ],
    ids=["all of its ids", "one, and deeper", "others", "none"],
)
def test_ids_in_the_data_come_back_as_they_were(store: LogStore, data: JsonObject) -> None:
    store.append([entry("one", event_id=EVENT, data=data)])
    [read] = store.find(LogQuery(OWNER), page=0, size=10).entries
    [followed] = store.follow(OWNER, EXECUTION, None, 10)
    assert read.data == followed.data == data


def test_postgres_stores_an_id_once(engine: Engine) -> None:
    PostgresLogStore(engine).append([entry("one", data={"executionId": str(EXECUTION), "stepIndex": 0})])
    with engine.connect() as connection:
        stored = logged_data(connection)
    assert stored == [{"stepIndex": 0}]


def test_postgres_keeps_the_keys_of_new_entries_side_by_side(engine: Engine) -> None:
    """In the order of time: each would have a page of a large index to itself otherwise."""
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 1, 5, 2, 4)]
    ids = [first_id_at(day) for day in days]
    PostgresLogStore(engine).append([entry(f"start:{id_}:0:0:1", execution_id=id_) for id_ in ids])
    with engine.connect() as connection:
        by_key = connection.execute(text("SELECT execution_id FROM logbook.execution_logs ORDER BY dedup_key"))
        assert [id_ for (id_,) in by_key] == sorted(ids)


def test_an_entry_that_is_nested_very_deeply_holds_up_no_other(store: LogStore) -> None:
    deep: object = "end"
    for _ in range(150):
        deep = {"a": deep}
    store.append([entry("one"), entry("deep", data={"payload": deep, "number": 2**64 - 1}), entry("two")])
    page = store.find(LogQuery(OWNER), page=0, size=10)
    assert page.total == 3
    assert all("end" in str(one.data) for one in page.entries if one.data and "payload" in one.data)


def test_a_repeated_entry_is_written_once(store: LogStore) -> None:
    store.append([entry("one")])
    new = store.append([entry("one"), entry("two")])
    assert [one.data for one in new] == [{"output": {"key": "two"}}]
    assert store.find(LogQuery(OWNER), page=0, size=10).total == 2


def test_what_is_missing_is_known_by_its_key(store: LogStore) -> None:
    store.append([entry("one"), entry("two")])
    assert store.missing(["one", "two", "three", "four"]) == {"three", "four"}
    assert store.missing([]) == set()


def test_one_user_never_sees_what_belongs_to_another(store: LogStore) -> None:
    store.append([entry("one")])
    assert store.find(LogQuery(STRANGER), page=0, size=10).entries == ()
    assert store.follow(STRANGER, EXECUTION, None, 10) == []


def test_pages_come_newest_first_and_are_counted(store: LogStore) -> None:
    store.append([entry(f"{number}") for number in range(5)])
    page = store.find(LogQuery(OWNER), page=1, size=2)
    assert [one.data["output"]["key"] for one in page.entries if one.data] == ["2", "1"]
    assert page.total == 5


class TestLargeData:
    """Five lines of a thousand bytes each, the newest first."""

    DATA: ClassVar = {"text": "x" * 989}

    @pytest.fixture(autouse=True)
    def five(self, store: LogStore) -> None:
        store.append([entry(f"{number}", data=self.DATA) for number in range(5)])

    def test_are_left_out_of_a_page_behind_those_that_fit(self, store: LogStore) -> None:
        page = store.find(LogQuery(OWNER), page=0, size=10, most_bytes=2_500)
        assert [one.data for one in page.entries] == [self.DATA] * 2 + [None] * 3
        assert page.truncated == {one.id for one in page.entries[2:]}
        assert page.total == 5

    def test_are_there_when_the_page_is_smaller(self, store: LogStore) -> None:
        page = store.find(LogQuery(OWNER), page=1, size=2, most_bytes=2_500, newest_first=False)
        assert ([one.data for one in page.entries], page.truncated) == ([self.DATA] * 2, frozenset())

    def test_are_there_in_a_page_of_one_whatever_their_size(self, store: LogStore) -> None:
        page = store.find(LogQuery(OWNER), page=4, size=1, most_bytes=10)
        assert ([one.data for one in page.entries], page.truncated) == ([self.DATA], frozenset())


@pytest.mark.parametrize(
    ("field", "value"),
    [("execution_id", uuid4()), ("workflow_id", uuid4()), ("event_id", uuid4())],
)
def test_queries_match_exactly(store: LogStore, field: str, value: UUID) -> None:
    store.append([entry("other"), entry("wanted", **{field: value})])
    found = store.find(replace(LogQuery(OWNER), **{field: value}), page=0, size=10)
    assert [one.data for one in found.entries] == [{"output": {"key": "wanted"}}]


def test_queries_match_type_status_and_time(store: LogStore) -> None:
    [written] = store.append([entry("one", event_type="TRIGGER", status="FIRED")])
    at, second = written.timestamp, timedelta(seconds=1)
    assert store.find(LogQuery(OWNER, event_type="TRIGGER", status="FIRED"), page=0, size=1).total == 1
    assert store.find(LogQuery(OWNER, event_type="RESULT"), page=0, size=1).total == 0
    assert store.find(LogQuery(OWNER, start=at, end=at), page=0, size=1).total == 1
    assert store.find(LogQuery(OWNER, start=at + second), page=0, size=1).total == 0
    assert store.find(LogQuery(OWNER, end=at - second), page=0, size=1).total == 0


def test_a_follower_continues_behind_its_cursor(store: LogStore) -> None:
    store.append([entry(f"{number}") for number in range(3)])
    first, *_ = store.follow(OWNER, EXECUTION, None, 1)
    rest = store.follow(OWNER, EXECUTION, first.cursor, 10)
    assert [one.data for one in rest] == [{"output": {"key": "1"}}, {"output": {"key": "2"}}]
    assert store.follow(OWNER, EXECUTION, rest[-1].cursor, 10) == []


def test_a_follower_may_ask_only_where_entries_stand(store: LogStore) -> None:
    store.append([entry(f"{number}") for number in range(3)])
    positions = [(one.timestamp, one.id) for one in store.follow(OWNER, EXECUTION, None, 10)]
    assert store.positions(OWNER, EXECUTION, None, 10) == positions
    assert store.positions(OWNER, EXECUTION, None, 2) == positions[:2]
    first, *_ = store.follow(OWNER, EXECUTION, None, 1)
    assert store.positions(OWNER, EXECUTION, first.cursor, 10) == positions[1:]
    assert store.positions(STRANGER, EXECUTION, None, 10) == []


def test_a_cursor_that_is_none_is_refused(store: LogStore) -> None:
    with pytest.raises(Invalid):
        store.follow(OWNER, EXECUTION, "yesterday", 10)


def test_an_answering_store_answers_a_ping(store: LogStore) -> None:
    store.ping()


def test_the_entries_of_one_owner_are_deleted_and_no_others(store: LogStore) -> None:
    store.append([entry("one"), entry("two"), entry("three"), entry("other", user_id=STRANGER)])

    assert [store.forget(OWNER, 2) for _ in range(3)] == [2, 1, 0]
    assert store.find(LogQuery(STRANGER), page=0, size=10).total == 1


def test_the_entries_of_executions_are_deleted_for_their_owner_alone(store: LogStore) -> None:
    store.append([entry("one"), entry("other", user_id=STRANGER)])

    store.delete_of(OWNER, [EXECUTION])
    assert store.follow(OWNER, EXECUTION, None, 10) == []
    assert len(store.follow(STRANGER, EXECUTION, None, 10)) == 1


def test_postgres_deletes_what_is_old(engine: Engine) -> None:
    store = PostgresLogStore(engine)
    store.append([entry("old"), entry("old, too"), entry("as old")])
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert [store.prune(later, 2) for _ in range(3)] == [2, 1, 0]
    assert store.find(LogQuery(OWNER), page=0, size=10).total == 0


class TestWhatTheOriginalsLeftInMongo:
    @pytest.mark.parametrize("form", [UuidRepresentation.JAVA_LEGACY, UuidRepresentation.STANDARD, None])
    def test_ids_in_every_encoding_are_found_and_read(self, mongo_uri: str, form: int | None) -> None:
        def encoded(value: UUID) -> object:
            return str(value) if form is None else Binary.from_uuid(value, form)

        with MongoClient(mongo_uri) as client:
            client.get_default_database().execution_logs.insert_one(
                {
                    "userId": encoded(OWNER),
                    "executionId": encoded(EXECUTION),
                    "eventType": "RESULT",
                    "status": "SUCCESS",
                    "data": {"stepIndex": 0},
                    "timestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                    "_class": "an.original.LogEntry",
                }
            )
        store = MongoLogStore(mongo_uri, retention_days=36_500)
        [found] = store.find(LogQuery(OWNER, execution_id=EXECUTION), page=0, size=10).entries
        store.close()
        assert (found.user_id, found.execution_id, found.workflow_id) == (OWNER, EXECUTION, None)

    def test_they_are_kept_for_the_whole_retention_from_the_adoption_on(self, mongo_uri: str) -> None:
        with MongoClient(mongo_uri, tz_aware=True) as client:
            database = client.get_default_database()
            database.execution_logs.insert_one({"userId": str(OWNER), "timestamp": datetime(2025, 1, 2, tzinfo=UTC)})
            store = MongoLogStore(mongo_uri, retention_days=30)
            store.append([entry("ours")])
            store.prune(datetime.now(UTC), 1000)
            expires_at_first = "flowforge_expiry" in database.execution_logs.index_information()

            database.flowforge_adoptions.update_one({}, {"$set": {"adoptedAt": datetime.now(UTC) - timedelta(31)}})
            store.prune(datetime.now(UTC), 1000)
            expires_later = "flowforge_expiry" in database.execution_logs.index_information()
            store.close()

        assert (expires_at_first, expires_later) == (False, True)

    def test_the_expiry_follows_the_setting(self, mongo_uri: str) -> None:
        for days in (30, 7):
            store = MongoLogStore(mongo_uri, retention_days=days)
            store.append([entry(f"{days}")])
            store.close()
        with MongoClient(mongo_uri) as client:
            indexes = client.get_default_database().execution_logs.index_information()
        assert indexes["flowforge_expiry"]["expireAfterSeconds"] == 7 * 86_400

    def test_a_collection_that_was_dropped_gets_its_indexes_again(self, mongo_uri: str) -> None:
        store = MongoLogStore(mongo_uri, retention_days=30)
        store.append([entry("before")])
        with MongoClient(mongo_uri) as client:
            logs = client.get_default_database().execution_logs
            indexes = logs.index_information().keys()
            logs.drop()
            store.append([entry("after")])
            store.prune(datetime.now(UTC), 1000)
            assert logs.index_information().keys() == indexes
        assert store.append([entry("after")]) == []
        store.close()

    def test_a_server_that_comes_back_empty_keeps_what_comes_twice_once(self, tmp_path: Path) -> None:
        [port] = free_ports(1)
        store = MongoLogStore(f"mongodb://127.0.0.1:{port}/logs", retention_days=30, timeout=1)
        for life in ("before", "after"):
            (tmp_path / life).mkdir()
            with running_secantus(tmp_path / life, port=port):
                assert len(store.append([entry("one")])) == 1
                assert store.append([entry("one")]) == []
            with pytest.raises(Unavailable):
                store.append([entry("two")])
        store.close()

    def test_a_dead_server_is_unavailable(self) -> None:
        store = MongoLogStore("mongodb://127.0.0.1:1/logs", retention_days=1, timeout=0.2)
        with pytest.raises(Unavailable):
            store.ping()
        store.close()
