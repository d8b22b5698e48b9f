"""Senders and readers that take their time hold no thread: the others are served, from a real server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
import requests

from flowforge import jsonio
from tests.api.things import accepted_events, trigger, workflow
from tests.services.stream_readers import WITHIN_SECONDS, Watched, lines, watching
from tests.services.web_server import THREADS, VIEWER_SLOTS, Stage, server
from tests.waiting import eventually

ANNOUNCED = (
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
)
UPLOAD = b"POST /webhook/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n".ljust(1024 * 1024 + 1, b"x")
"""With the last of these bytes, all of them are moved to a file."""
MANY = 5 * THREADS


@pytest.fixture(scope="module")
def impatient(stage: Stage) -> Iterator[str]:
    """Another server on the same backends, that waits a second."""
    limits = {"WEB_READ_TIMEOUT": "1", "WEB_REQUEST_TIMEOUT": "2", "GUNICORN_CMD_ARGS": "--keep-alive=1"}
    with server(stage.backends, stage.backends.settings.home, **limits) as url:
        yield url


def connected(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((str(address.hostname), address.port or 80), timeout=WITHIN_SECONDS)


def answered(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def assert_served(url: str) -> None:
    for _ in range(2 * THREADS):
        assert requests.get(f"{url}/health/live", timeout=WITHIN_SECONDS).status_code == 200


@pytest.mark.parametrize(
    "beginning", [b"", b"GE", b"POST /x HTTP/1.1\r\nHost: localhost\r\n", ANNOUNCED, ANNOUNCED + b"{"]
)
def test_others_are_served_while_many_send_nothing_more(stage: Stage, beginning: bytes) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(closing(connected(stage.url))) for _ in range(MANY)]
        for connection in slow:
            connection.sendall(beginning)
        assert_served(stage.url)
        for connection in slow:
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):  # and they still have their time
                connection.recv(1)


def test_others_are_served_while_many_send_chunks_slowly(stage: Stage) -> None:
    head = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(closing(connected(stage.url))).sendall(head)
        assert_served(stage.url)


def test_others_are_served_while_many_do_not_close(stage: Stage) -> None:
    with ExitStack() as held:
        for _ in range(MANY):
            connection = held.enter_context(closing(connected(stage.url)))
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert_served(stage.url)


@pytest.mark.parametrize("beginning", [ANNOUNCED, UPLOAD], ids=["in memory", "in a file"])
def test_a_silent_sender_is_answered_408_and_let_go(impatient: str, beginning: bytes) -> None:
    with closing(connected(impatient)) as connection:
        connection.sendall(beginning)
        head, _, body = answered(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["status"] == 408


def test_a_steady_trickle_ends_too(impatient: str) -> None:
    with closing(connected(impatient)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nX: ")
        connection.settimeout(0.3)
        received = b""

        def ended() -> bool:
            nonlocal received
            connection.sendall(b"x")
            try:
                received += connection.recv(4096)
            except TimeoutError:
                return False
            return True

        eventually(ended)
    assert received.startswith(b"HTTP/1.1 408 ")


def test_who_says_nothing_at_all_is_closed_without_a_word(impatient: str) -> None:
    """Browsers connect in advance."""
    with closing(connected(impatient)) as connection:
        connection.settimeout(30)
        assert answered(connection) == b""


def test_a_live_stream_outlasts_every_limit(stage: Stage, impatient: str) -> None:
    watched = Watched(stage)
    elsewhere = Stage(impatient, stage.backends, stage.client, stage.owner, stage.stranger)
    with watching(elsewhere, watched) as events:
        assert next(events).kind == "status"
        with closing(connected(impatient)) as connection:  # its end shows that the limits have passed
            connection.sendall(ANNOUNCED)
            assert b" 408 " in answered(connection)
        written = watched.write(2)
        assert lines(events, 2) == [entry.cursor for entry in written]


class TestARequestInPieces:
    @pytest.mark.parametrize("way", ["counted", "chunked"])
    def test_arrives_whole(self, stage: Stage, way: str) -> None:
        token = trigger(stage.client, stage.owner, workflow(stage.client, stage.owner)["id"])["webhookToken"]
        body = jsonio.dumps({"text": way * 20_000})
        head = f"POST /webhook/{token} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        if way == "counted":
            request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        else:
            request = f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        with closing(connected(stage.url)) as connection:
            for start in range(0, len(request), 30_000):
                connection.sendall(request[start : start + 30_000])
            connection.shutdown(socket.SHUT_WR)
            assert answered(connection).startswith(b"HTTP/1.1 200 ")
        assert accepted_events(stage.backends.engine)[-1].payload["body"] == {"text": way * 20_000}

    @pytest.mark.parametrize(
        "chunks", [b"zz\r\n", b"2\r\n{}0\r\n\r\n", b"2\r\n{}\r\n-1\r\n\r\n", b"2;\n\r\n{}\r\n0\r\n\r\n"]
    )
    @pytest.mark.parametrize("path", ["webhook", "auth/login"])
    def test_that_are_no_chunks_is_the_senders_mistake(self, stage: Stage, path: str, chunks: bytes) -> None:
        token = trigger(stage.client, stage.owner, workflow(stage.client, stage.owner)["id"])["webhookToken"]
        target = f"/webhook/{token}" if path == "webhook" else f"/{path}"
        head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        with closing(connected(stage.url)) as connection:
            connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks)
            connection.shutdown(socket.SHUT_WR)
            assert answered(connection).startswith(b"HTTP/1.1 400 ")

    def test_may_be_followed_by_others_at_once(self, stage: Stage) -> None:
        head = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        one = head + b"Content-Length: 2\r\n\r\n{}"
        last = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with closing(connected(stage.url)) as connection:
            connection.sendall(one * 3 + last)
            received = answered(connection)
        assert (received.count(b"HTTP/1.1 400 "), received.count(b"HTTP/1.1 200 ")) == (3, 1)

    def test_is_asked_for_its_body_once(self, stage: Stage) -> None:
        head = ANNOUNCED.replace(b"100\r\n", b"2\r\nExpect: 100-continue\r\nConnection: close\r\n")
        with closing(connected(stage.url)) as connection:
            connection.sendall(head)
            assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"{}")
            received = answered(connection)
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b"100 Continue" not in received

    def test_that_is_too_large_is_refused_by_its_head(self, stage: Stage) -> None:
        with closing(connected(stage.url)) as connection:
            connection.sendall(ANNOUNCED.replace(b"100", b"100000000"))
            assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")

    def test_that_is_no_http_is_told_so(self, stage: Stage) -> None:
        with closing(connected(stage.url)) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert answered(connection).startswith(b"HTTP/1.1 400 ")


def test_viewers_are_served_beside_them(stage: Stage) -> None:
    watched = Watched(stage)
    with ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(closing(connected(stage.url))).sendall(ANNOUNCED)
        streams = [held.enter_context(watching(stage, watched)) for _ in range(VIEWER_SLOTS)]
        assert [next(events).kind for events in streams] == ["status"] * VIEWER_SLOTS
