"""The way to MongoDB: the primary of a replica set, clusters by their name, the rules on addresses, odd answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dns.resolver
import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext
from tests.connectors.running import run_with
from tests.services.mongo_fixture import running_secantus
from tests.services.mongo_messages import Answer, answering_mongo
from tests.services.name_server import name_server

MakeContext = Callable[..., StepContext]


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("mongodb")
    with running_secantus(folder) as url:
        yield int(url.rpartition(":")[2])


def secondary(primary: str | None) -> Answer:
    told = {"ok": 1, "setName": "rs", "secondary": True, "hosts": ["x:1"], "maxWireVersion": 21}
    return lambda command: told if primary is None else {**told, "primary": primary}


def find(context: StepContext, **connection: Any) -> list[Any]:
    saved = {"host": "127.0.0.1", "database": "shop", "tls": "off", **connection}
    output = run_with("MONGODB", "mongodb", saved, {"operation": "find", "collection": "c"}, context)
    return list(output["documents"])


def test_the_primary_is_found_by_another_member(primary: int, make_context: MakeContext) -> None:
    with answering_mongo(secondary(f"127.0.0.1:{primary}")) as port:
        assert find(make_context(), port=port) == []


def test_one_of_several_members_is_enough(primary: int, make_context: MakeContext) -> None:
    with answering_mongo(secondary(None)) as port:
        assert find(make_context(), host=f"127.0.0.1:{port}, 127.0.0.1:{primary}") == []
        with pytest.raises(ConnectorError, match="not the primary") as caught:
            find(make_context(), port=port)
    assert not caught.value.permanent


def test_a_silent_member_leaves_time_for_the_next(primary: int, make_context: MakeContext, silent_port: int) -> None:
    assert find(make_context(seconds=2), host=f"127.0.0.1:{silent_port}, 127.0.0.1:{primary}") == []


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ("10.0.0.1:27017", "private network"),
        ("[::1]:27017", "private network"),
        ("127.0.0.1:5432", "another kind of service"),
        ("/tmp/mongodb.sock", "no socket"),
        ("127.0.0.1:port", "does not answer as MongoDB does"),
    ],
)
def test_where_a_server_sends_us_is_checked(make_context: MakeContext, named: str, text: str) -> None:
    with answering_mongo(secondary(named)) as port, pytest.raises(ConnectorError, match=text) as caught:
        find(make_context(networks="127.0.0.1/32"), port=port)
    assert caught.value.permanent


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "/tmp/mongodb.sock", "127.0.0.1,", "a%2Fb", "[::1]:27017"])
def test_private_addresses_and_sockets_are_refused(make_context: MakeContext, host: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        load_catalog().connection_kinds["mongodb"].try_out(
            {"host": host, "database": "shop", "tls": "off"}, make_context(networks="")
        )
    assert caught.value.permanent


@pytest.fixture
def cluster(primary: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Names of clusters, and one server whose address is that of the primary."""
    records = {
        "_mongodb._tcp.shop.example.com. SRV": [f"0 0 {primary} db-1.example.com."],
        "_mongodb._tcp.foreign.example.com. SRV": ["0 0 27017 a.example.org."],
        "_mongodb._tcp.similar.example.com. SRV": ["0 0 27017 a.badexample.com."],
    }
    addresses = {"db-1.example.com": "127.0.0.1"}
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up(addresses[host], *rest, **more))
    with name_server(records) as resolver:
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        yield


@pytest.mark.usefixtures("cluster")
class TestClusters:
    def test_are_called_at_the_servers_of_their_name(self, make_context: MakeContext) -> None:
        assert find(make_context(), host="shop.example.com", bySrv=True) == []

    def test_their_servers_are_held_to_the_rules_on_addresses(self, make_context: MakeContext) -> None:
        with pytest.raises(ConnectorError, match="private network"):
            find(make_context(networks=""), host="shop.example.com", bySrv=True)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("foreign.example.com", "another domain"),
            ("similar.example.com", "another domain"),
            ("nowhere.example.com", "no cluster called"),
            ("a..b", "no cluster called"),
        ],
    )
    def test_what_is_no_cluster_is_told(self, make_context: MakeContext, name: str, text: str) -> None:
        with pytest.raises(ConnectorError, match=text) as caught:
            find(make_context(), host=name, bySrv=True)
        assert caught.value.permanent


def is_master(**more: Any) -> dict[str, Any]:
    return {"ok": 1, "ismaster": True, "maxWireVersion": 21, **more}


def greeted_then(answer: Mapping[str, Any] | bytes) -> Answer:
    return lambda command: is_master() if "helloOk" in command else answer


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 100,
        b"",
        {"ok": 1},
        {"ok": 1, "cursor": []},
        {"ok": 1, "cursor": {"id": "x", "firstBatch": [], "ns": "shop.c"}},
        {"ok": 1, "cursor": {"id": 0, "firstBatch": [7], "ns": "shop.c"}},
        {"ok": "no"},
        {"ok": 0},
        {},
    ],
)
def test_odd_answers_are_told(make_context: MakeContext, answer: Any) -> None:
    with answering_mongo(greeted_then(answer)) as port, pytest.raises(ConnectorError) as caught:
        find(make_context(seconds=3), port=port)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "greeting",
    [
        {"ok": 1},
        {"ok": 0, "errmsg": "no"},
        {"ok": 1, "ismaster": True, "maxBsonObjectSize": "x"},
        b"HTTP/1.1 400\r\n\r\n",
    ],
)
def test_odd_greetings_are_told(make_context: MakeContext, greeting: Any) -> None:
    with answering_mongo(lambda command: greeting) as port, pytest.raises(ConnectorError):
        find(make_context(seconds=3), port=port)


def test_a_server_cannot_make_signing_in_endless(make_context: MakeContext) -> None:
    def answer(command: Mapping[str, Any]) -> Mapping[str, Any]:
        nonce = bytes(command["speculativeAuthenticate"]["payload"]).partition(b"r=")[2]
        challenge = b"r=" + nonce + b"x,s=c2FsdA==,i=2147483647"
        return is_master(speculativeAuthenticate={"conversationId": 1, "done": False, "payload": challenge})

    with answering_mongo(answer) as port, pytest.raises(ConnectorError, match="does not answer as MongoDB does"):
        find(make_context(), port=port, username="ada", password="x")


def test_a_server_that_says_nothing_is_waited_for_until_the_deadline(
    make_context: MakeContext, silent_port: int
) -> None:
    with pytest.raises(ConnectorError, match="did not answer in time") as caught:
        find(make_context(seconds=0.5), port=silent_port)
    assert not caught.value.permanent
