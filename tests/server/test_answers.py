"""Answers of any WSGI application as they come over the wire: where each ends, and whether another may follow."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from tests.services.http_server import everything, response, serving, statuses

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")
OLDER = GET.replace(b"1.1", b"1.0")


def answered(application: WSGIApplication, *sent: bytes) -> bytes:
    with serving(application) as running:
        return running.exchange(*sent)


def head_and_body(received: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def test_head_and_body_are_those_of_the_application() -> None:
    lines, body = head_and_body(
        answered(response(b"ab", b"c", headers=[("Content-Length", "3"), ("X-A", "\xe9")]), GET)
    )
    assert (lines[0], body) == (b"HTTP/1.1 200 OK", b"abc")
    assert {b"Server: gunicorn", b"Connection: keep-alive", b"Content-Length: 3", b"X-A: \xe9"} <= set(lines)
    assert [line for line in lines if line.startswith(b"Date: ") and line.endswith(b" GMT")]


def test_a_small_answer_is_one_segment() -> None:
    with serving(response(b"abc")) as running, running.connect() as connection:
        connection.sendall(GET)
        assert connection.recv(65536).endswith(b"\r\n\r\nabc")


def test_answers_follow_one_another() -> None:
    assert statuses(answered(response(b"abc"), GET * 3)) == [200, 200, 200]


def test_an_answer_without_a_length_comes_in_chunks() -> None:
    _, body = head_and_body(answered(response(b"ab", b"", b"c" * 17, headers=[]), GET))
    assert body == b"2\r\nab\r\n11\r\n" + b"c" * 17 + b"\r\n0\r\n\r\n"
    assert statuses(answered(response(b"ab", headers=[]), GET * 2)) == [200, 200]


def test_older_readers_know_its_end_by_the_connections() -> None:
    lines, body = head_and_body(
        answered(response(b"ab", headers=[]), OLDER.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"))
    )
    assert (lines[0], body) == (b"HTTP/1.0 200 OK", b"ab")
    assert b"Connection: close" in lines


@pytest.mark.parametrize(
    ("sent", "status", "length"),
    [(HEAD, "200 OK", "3"), (GET, "204 No Content", None), (GET, "304 Not Modified", "3")],
    ids=["HEAD", "no content", "not modified"],
)
def test_what_has_no_body_is_sent_none(sent: bytes, status: str, length: str | None) -> None:
    application = response(b"abc", status=status, headers=[("Content-Length", "3")])
    received = answered(application, sent * 2)
    assert received.count(b"abc") == 0
    assert received.count(b"Content-Length: 3") == (2 if length else 0)
    assert b"chunked" not in received
    assert len(statuses(received)) == 2


def test_more_than_was_told_is_not_sent() -> None:
    assert head_and_body(answered(response(b"ab", b"cd", headers=[("Content-Length", "3")]), GET))[1] == b"abc"


def test_less_than_was_told_ends_the_connection() -> None:
    """The next answer would be taken for the rest."""
    assert statuses(answered(response(b"ab", headers=[("Content-Length", "3")]), GET * 2)) == [200]


@pytest.mark.parametrize(
    "headers",
    [[("X-A", "b\r\nX-C: d")], [("X-A", "b\nc")], [("X-A", "\0")], [("X A", "b")], [("X-A\r\nX-B", "c")], [("", "")]],
)
def test_a_header_that_would_break_the_head_is_not_sent(headers: list[tuple[str, str]]) -> None:
    received = answered(response(b"abc", headers=headers), GET * 2)
    assert statuses(received) == [500]
    assert b"X-A" not in received


def test_headers_of_the_connection_are_the_servers_alone() -> None:
    sent = [("Connection", "upgrade"), ("Transfer-Encoding", "gzip"), ("Server", "mine"), ("Content-Length", "1")]
    lines, _ = head_and_body(answered(response(b"a", headers=sent), GET))
    assert [line for line in lines if line.startswith((b"Conn", b"Trans", b"Serv"))] == [
        b"Server: gunicorn",
        b"Connection: keep-alive",
    ]


def failing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    if environ["PATH_INFO"] == "/late":
        start_response("200 OK", [])
        yield b"begin"
    raise OSError("a fault of the application")


def test_an_application_that_fails_is_told_of() -> None:
    received = answered(failing, GET * 2)
    assert statuses(received) == [500]
    assert b"a fault" not in received


def test_one_that_fails_later_is_cut_off() -> None:
    _, body = head_and_body(answered(failing, GET.replace(b"/a", b"/late") * 2))
    assert body == b"5\r\nbegin\r\n"


def test_one_that_never_begins_to_answer_has_failed() -> None:
    assert statuses(answered(lambda _environ, _start: [b"abc"], GET)) == [500]


def test_it_may_start_anew_while_nothing_is_sent() -> None:
    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        try:
            raise ValueError
        except ValueError:
            start_response("400 Bad Request", [("Content-Length", "2")], sys.exc_info())
        return [b"no"]

    lines, body = head_and_body(answered(application, GET))
    assert (lines[0], body) == (b"HTTP/1.1 400 Bad Request", b"no")


def test_it_may_write_by_itself() -> None:
    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        write = start_response("200 OK", [("Content-Length", "4")])
        write(b"ab")
        return [b"cd"]

    assert head_and_body(answered(application, GET))[1] == b"abcd"


def test_what_it_returns_is_closed(closings: list[str]) -> None:
    answered(lambda _environ, start: (start("200 OK", []), Closing(closings))[1], GET * 2)
    assert closings == ["closed", "closed"]


@pytest.fixture
def closings() -> list[str]:
    return []


class Closing:
    def __init__(self, closings: list[str]) -> None:
        self._closings = closings

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"

    def close(self) -> None:
        self._closings.append("closed")


def of_file(file: Any, length: int | None) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        start_response("200 OK", [] if length is None else [("Content-Length", str(length))])
        return environ["wsgi.file_wrapper"](file, 1000)

    return application


CONTENT = bytes(range(256)) * 8192


def test_a_file_is_sent_from_where_it_stands() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        file.seek(1000)
        received = answered(of_file(file, len(CONTENT) - 1000), GET)
    assert head_and_body(received)[1] == CONTENT[1000:]


def test_what_is_no_file_or_has_no_length_is_read() -> None:
    assert head_and_body(answered(of_file(BytesIO(CONTENT), len(CONTENT)), GET))[1] == CONTENT
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        file.seek(len(CONTENT) - 3)
        assert head_and_body(answered(of_file(file, None), GET))[1] == b"3\r\n" + CONTENT[-3:] + b"\r\n0\r\n\r\n"


def test_a_reader_that_leaves_is_let_go() -> None:
    endless = (b"x" * 65536 for _ in iter(int, 1))

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        return endless if environ["PATH_INFO"] == "/endless" else iter([b"abc"])

    with serving(application, threads=1) as running:
        with running.connect() as connection:
            connection.sendall(GET.replace(b"/a", b"/endless"))
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert statuses(running.exchange(GET)) == [200]
        with running.connect() as connection:
            connection.sendall(GET)
            connection.shutdown(socket.SHUT_WR)
            assert everything(connection).endswith(b"0\r\n\r\n")
