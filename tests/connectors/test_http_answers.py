"""How answers come over the wire: with what goes before them, in chunks, compressed, until the connection ends."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import brotli
import pytest

from flowforge.connectors.sdk import ConnectorError, Download, StepContext, StreamedBody
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.step_loop import StepLoop
from tests.services.serving import accepting

OK = b"HTTP/1.1 200 OK\r\n"
TEXT = b"many words, many words, many words. " * 10_000


def answer(*headers: bytes, body: bytes = b"") -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return OK + lines + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, size: int = 1_000) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x;why=not\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX-Trailer: read by nobody\r\n\r\n"


@contextmanager
def saying(said: bytes, *, at_once: int = 65536) -> Iterator[str]:
    """The address of a server that answers each request so, in pieces of so many bytes, and closes the connection."""

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.recv(65536)
            for start in range(0, len(said), at_once):
                client.sendall(said[start : start + at_once])

    with accepting(serve) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize("at_once", [1, 65536])
@pytest.mark.parametrize(
    "said",
    [
        answer(body=b"all of it"),
        chunked(b"all of it", size=2),
        OK + b"\r\nall of it",
        OK + b"Connection: close\r\n\r\nall of it",
        b"HTTP/1.0 200 OK\r\n\r\nall of it",
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(body=b"all of it"),
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" * 2 + answer(body=b"all of it"),
    ],
    ids=["length", "chunks", "until the end", "closed", "HTTP/1.0", "continue", "early hints"],
)
def test_a_body_ends_where_its_head_says(context: StepContext, said: bytes, at_once: int) -> None:
    with saying(said, at_once=at_once) as url:
        answered = context.tools.http.send(context, "GET", url)
    assert (answered.status, answered.content) == (200, b"all of it")
    assert "link" not in answered.headers


@pytest.mark.parametrize(
    "said",
    [
        b"",
        OK + b"Content-Length: 10\r\n\r\nhalf",
        chunked(b"all of it")[:-40],
        b"no HTTP at all\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
    ids=["nothing", "half a body", "half a chunk", "no HTTP", "two lengths"],
)
def test_what_is_no_whole_answer_is_a_failed_connection(context: StepContext, said: bytes) -> None:
    with saying(said) as url, pytest.raises(ConnectorError, match=r"the connection to 127\.0\.0\.1 failed") as caught:
        context.tools.http.send(context, "GET", url)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nX-A: b",
        OK + b"Content-Length: x\r\n\r\nab",
        OK + b"Content-Length: 1\r\n" + chunked(b"a")[17:],
    ],
    ids=["half a head", "no length", "a length, and chunks"],
)
def test_nor_is_what_leaves_doubts(
    context: StepContext,
    step_loop: StepLoop | None,  # noqa: F811
    said: bytes,
) -> None:
    if step_loop is None:
        pytest.skip("http.client has none")
    with saying(said) as url, pytest.raises(ConnectorError, match=r"the connection to 127\.0\.0\.1 failed"):
        context.tools.http.send(context, "GET", url)


def test_a_server_that_hangs_up_at_once_is_a_failed_connection(context: StepContext) -> None:
    def hang_up(client: socket.socket) -> None:
        client.close()

    with accepting(hang_up) as port:
        for _ in range(20):
            with pytest.raises(ConnectorError, match=r"the connection to 127\.0\.0\.1 failed"):
                context.tools.http.send(context, "GET", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_some_answers_have_no_body(context: StepContext, status: bytes) -> None:
    with saying(b"HTTP/1.1 " + status + b"\r\nX-A: b\r\n\r\n") as url:
        answered = context.tools.http.send(context, "GET", url)
    assert (answered.status, answered.content) == (int(status[:3]), b"")


def test_the_answer_to_head_has_none_whatever_its_length_says(context: StepContext) -> None:
    with saying(OK + b"Content-Length: 1000\r\n\r\n") as url:
        answered = context.tools.http.send(context, "HEAD", url)
    assert (answered.headers["content-length"], answered.content) == ("1000", b"")


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        (b"gzip", gzip.compress(TEXT)),
        (b"X-Gzip", gzip.compress(TEXT)),
        (b"gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        (b"deflate", zlib.compress(TEXT)),
        (b"deflate", zlib.compress(TEXT)[2:-4]),
        (b"br", brotli.compress(TEXT)),
        (b"gzip, br", brotli.compress(gzip.compress(TEXT))),
        (b"identity", TEXT),
    ],
    ids=["gzip", "x-gzip", "two of gzip", "deflate", "deflate without a head", "br", "gzip in br", "identity"],
)
def test_a_body_is_decompressed_whether_it_is_held_or_taken(context: StepContext, coding: bytes, coded: bytes) -> None:
    said = answer(b"Content-Encoding: " + coding, body=coded)
    with saying(said, at_once=1_000) as url, Download(lambda _: True, most_bytes=10_000_000) as download:
        assert context.tools.http.send(context, "GET", url).content == TEXT
        assert context.tools.http.send(context, "GET", url, download=download).content == b""
        assert download.content is not None
        download.content.seek(0)
        assert download.content.read() == TEXT


def test_a_small_body_that_becomes_too_large_is_refused(make_context: Callable[..., StepContext]) -> None:
    context = make_context(http_response_max_bytes=1_000_000)
    bomb = answer(b"Content-Encoding: gzip", body=gzip.compress(bytes(50_000_000)))
    with saying(bomb) as url, pytest.raises(ConnectorError, match="answers more than 1000000 bytes"):
        context.tools.http.send(context, "GET", url)


def test_what_cannot_be_decompressed_is_a_failed_connection(context: StepContext) -> None:
    with (
        saying(answer(b"Content-Encoding: gzip", body=b"no gzip")) as url,
        pytest.raises(ConnectorError, match=r"the connection to 127\.0\.0\.1 failed"),
    ):
        context.tools.http.send(context, "GET", url)


class Reading:
    """Reads a request to its end, and answers then; or at once, where it is told to."""

    def __init__(self, body: int, *, answers_at_once: bool = False) -> None:
        self.head = b""
        self.body = 0
        self._expected = body
        self._answers_at_once = answers_at_once
        self.left = threading.Event()

    def __call__(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            data = client.recv(65536)
            self.head, _, begun = data.partition(b"\r\n\r\n")
            self.body = len(begun)
            if self._answers_at_once:
                client.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
            while self.body < self._expected and (piece := client.recv(65536)):
                self.body += len(piece)
            if not self._answers_at_once:
                client.sendall(answer(body=b"thanks"))
                client.recv(1)
        self.left.set()


def test_a_large_body_is_sent_whole(context: StepContext) -> None:
    body = b"x" * 8_000_000
    server = Reading(len(body))
    with accepting(server) as port:
        answered = context.tools.http.send(context, "POST", f"http://127.0.0.1:{port}/", data=body)
    assert (answered.content, server.body) == (b"thanks", len(body))
    assert b"\r\nContent-Length: 8000000" in server.head


@dataclass(frozen=True)
class Changed:
    """A file that has another size than it had."""

    size: int
    content: bytes
    name: str = "changed"
    type: str = "text/plain"

    def pieces(self) -> Iterator[bytes]:
        return iter([self.content])


@pytest.mark.parametrize("content", [b"short", b"long" * 1_000])
def test_of_a_file_that_has_changed_no_other_request_is_made(
    context: StepContext,
    step_loop: StepLoop | None,  # noqa: F811
    content: bytes,
) -> None:
    if step_loop is None:
        pytest.skip("urllib3 sends what there is")
    server = Reading(1_000)
    file: Any = Changed(1_000, content)
    with accepting(server) as port, pytest.raises(ConnectorError, match=r"the connection to 127\.0\.0\.1 failed"):
        context.tools.http.send(context, "PUT", f"http://127.0.0.1:{port}/", data=StreamedBody("text/plain", (file,)))
    assert server.left.wait(30)
    assert server.body <= 1_000


def test_an_answer_may_come_before_all_is_sent(
    context: StepContext,
    step_loop: StepLoop | None,  # noqa: F811
) -> None:
    if step_loop is None:
        pytest.skip("requests sends first, and reads then")
    server = Reading(50_000_000, answers_at_once=True)
    with accepting(server) as port:
        answered = context.tools.http.send(context, "POST", f"http://127.0.0.1:{port}/", data=b"x" * 9_000_000)
    assert answered.status == 413
    assert server.left.wait(30), "the connection ends: what was not sent can never be"
