"""Statements that PostgreSQL plans once for each connection."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, make_url

from flowforge.db.engine import make_engine
from flowforge.db.prepared import PREPARED
from tests.statements import counting_statements

SUM = "SELECT %(a)s::int + %(b)s::int + %(a)s::int"
KNOWN = "SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements"
BACKEND_KEY_DATA = re.compile(rb"(?s)(K\0\0\0\x0c)....")


def _ask(connection: Connection, statement: str, **values: Any) -> Any:
    return connection.exec_driver_sql(statement, values, execution_options=PREPARED).scalar()


def _planned(connection: Connection) -> int:
    """Counts the calls of statements that are prepared on this connection."""
    return int(connection.exec_driver_sql(KNOWN).scalar() or 0)


@pytest.fixture
def one(database_url: str) -> Iterator[Engine]:
    """An engine with a single connection."""
    engine = make_engine(database_url, pool_size=1)
    yield engine
    engine.dispose()


def test_a_connection_prepares_it_once_for_all_transactions(one: Engine) -> None:
    for number in range(3):
        with one.begin() as connection:
            assert _ask(connection, SUM, a=number, b=1) == 2 * number + 1
    with one.connect() as connection:
        assert _planned(connection) == 3


def test_it_outlives_a_transaction_that_is_rolled_back(one: Engine) -> None:
    with one.connect() as connection:
        assert _ask(connection, SUM, a=1, b=1) == 3
        connection.rollback()
        assert _ask(connection, SUM, a=2, b=1) == 5
        assert _planned(connection) == 2


def test_a_new_connection_prepares_it_again(one: Engine) -> None:
    for number in range(2):
        with one.connect() as connection:
            assert _ask(connection, SUM, a=number, b=1) == 2 * number + 1
            assert _planned(connection) == 1
        one.dispose()


@pytest.mark.parametrize(
    ("statement", "values", "answer"),
    [
        ("SELECT %(none)s::text IS NULL", {"none": None}, True),
        ("SELECT count(*) FROM unnest(%(ids)s::uuid[])", {"ids": [str(uuid4()), str(uuid4())]}, 2),
        ("SELECT count(*) FROM unnest(%(ids)s::uuid[])", {"ids": []}, 0),
        ("SELECT %(id)s::uuid", {"id": "00000000-0000-0000-0000-000000000001"}, UUID(int=1)),
        ("SELECT %(rows)s::jsonb->>'a'", {"rows": '{"a": "it\'s 100 %(a)s $1"}'}, "it's 100 %(a)s $1"),
        ("SELECT 'axb' LIKE 'a%%' || %(end)s", {"end": "b"}, True),
        ("SELECT make_interval(secs => %(seconds)s) > interval '1 second'", {"seconds": 1.5}, True),
        ("SELECT CASE WHEN %(flag)s THEN 1 ELSE 2 END", {"flag": False}, 2),
    ],
)
def test_values_of_all_types(one: Engine, statement: str, values: dict[str, Any], answer: object) -> None:
    with one.connect() as connection:
        assert [_ask(connection, statement, **values) for _ in range(2)] == [answer, answer]
        assert _planned(connection) == 2


def test_who_listens_sees_it_as_it_was_written(one: Engine) -> None:
    with counting_statements(one) as sent, one.connect() as connection:
        _ask(connection, SUM, a=1, b=1)
        _ask(connection, SUM, a=1, b=1)
    assert sent == [SUM, SUM]


class Pooler(threading.Thread):
    """As poolers do, gives the client a number for the backend that is not the server's; takes one client."""

    def __init__(self, server: str) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._client = self._server = socket.socket(socket.AF_UNIX)
        self._server.connect(server)

    def run(self) -> None:
        self._client, _ = self._listener.accept()
        answers = threading.Thread(target=self._answer, daemon=True)
        answers.start()
        while data := self._client.recv(65536):
            self._server.sendall(data)
        self._server.shutdown(socket.SHUT_RDWR)
        answers.join()
        for each in (self._client, self._server, self._listener):
            each.close()

    def _answer(self) -> None:
        while data := self._server.recv(65536):
            self._client.sendall(BACKEND_KEY_DATA.sub(lambda found: found[1] + b"\0\0\0\7", data))


def test_behind_a_pooler_it_is_sent_as_it_is(database_url: str) -> None:
    """A pooler may give every transaction another session of the server."""
    url = make_url(database_url)
    pooler = Pooler(f"{url.query['host']}/.s.PGSQL.5432")
    pooler.start()
    engine = make_engine(f"postgresql://dev@127.0.0.1:{pooler.port}/{url.database}?sslmode=disable&gssencmode=disable")
    with engine.connect() as connection:
        assert [_ask(connection, SUM, a=number, b=1) for number in range(2)] == [1, 3]
        assert _planned(connection) == 0
    engine.dispose()
    pooler.join(10)
