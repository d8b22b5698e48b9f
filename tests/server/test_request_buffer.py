"""Where a request ends, however it is cut into pieces; and when a sender's time is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.server.refusals import Refused
from webapp.server.request_buffer import ReceiveLimits, RequestBuffer

LIMITS = ReceiveLimits(idle_seconds=10, total_seconds=60, body_bytes=1000)
NO_BODY = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
COUNTED = b"POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 5\r\n\r\nhello"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA ;x=1\r\n0123456789\r\n0\r\n\r\n"
TRAILERS = CHUNKED[:-2] + b"Checksum: 1\r\n\r\n"


made: list[RequestBuffer] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while made:
        made.pop().close()


def begun(limits: ReceiveLimits = LIMITS) -> RequestBuffer:
    made.append(RequestBuffer(limits, 0))
    return made[-1]


def buffered(*pieces: bytes) -> RequestBuffer:
    request = begun()
    for piece in pieces:
        request.add(piece, 0)
    return request


BODIES = [(NO_BODY, b""), (COUNTED, b"hello"), (CHUNKED, b"abc0123456789"), (TRAILERS, b"abc0123456789")]


@pytest.mark.parametrize(("request_", "body"), BODIES)
def test_a_request_is_complete_with_its_last_byte(request_: bytes, body: bytes) -> None:
    slowly = begun()
    for byte in request_:
        assert not slowly.complete
        slowly.add(bytes([byte]), 0)
    assert (slowly.complete, slowly.truncated) == (True, False)
    assert (slowly.body().read(), slowly.rest()) == (body, b"")


@pytest.mark.parametrize(("request_", "body"), BODIES)
def test_what_follows_belongs_to_the_next(request_: bytes, body: bytes) -> None:
    both = buffered(request_ + NO_BODY)
    assert (both.complete, both.truncated) == (True, False)
    assert (both.body().read(), both.rest()) == (body, NO_BODY)


IN_CHUNKS = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "beginning",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n",
        IN_CHUNKS + b"3e9\r\n",
        IN_CHUNKS + (b"1;" + b"x" * 300 + b"\r\na\r\n") * 8,
    ],
    ids=["counted", "in one chunk", "in chunks of few bytes and many words"],
)
def test_what_is_too_long_is_not_waited_for(beginning: bytes) -> None:
    request = buffered(beginning)
    assert (request.complete, request.truncated) == (True, True)
    with pytest.raises(RequestEntityTooLarge):  # nobody takes its beginning for the whole
        request.body().read()


def test_a_head_without_an_end_is_refused() -> None:
    with pytest.raises(Refused):
        buffered(b"x" * (1024 * 1024 + 1))


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n",
        b"+3\r\nabc\r\n",
        b"-3\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"3_\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"\r\n",
        b"3\nabc\r\n",
        b"3;\r\nabc\r\n",
        b"3;(\r\nabc\r\n",
        b'3;a="\r\nabc\r\n',
        b"3;a\rb\r\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n",
        b"1" * 9000,
        b"0\r\nnone\r\n\r\n",
        b"0\r\nA: b\n\r\n\r\n",
        b"0\r\nHost: x\r\n\r\n",
        b"0\r\nContent-Length: 3\r\n\r\n",
    ],
)
def test_what_are_no_chunks_is_refused(chunks: bytes) -> None:
    with pytest.raises(Refused):
        buffered(IN_CHUNKS + chunks)
    with pytest.raises(Refused):
        buffered(IN_CHUNKS, *(bytes([byte]) for byte in chunks))


def test_the_words_beside_a_chunk_are_passed_over() -> None:
    assert buffered(IN_CHUNKS + b'3;a;b=c ; d = "e;\\"f"\r\nabc\r\n0;g\r\n\r\n').body().read() == b"abc"


def test_one_that_waits_to_be_told_is_told_once() -> None:
    head = b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    assert buffered(head).wants_continue
    assert not buffered(head + b"he").wants_continue
    assert not buffered(head.replace(b"5", b"5000")).wants_continue


def test_silence_and_slowness_have_their_limits() -> None:
    request = RequestBuffer(LIMITS, 100)
    request.add(b"G", 200)
    assert request.deadline == 210
    request.add(b"E", 205)
    assert request.deadline == 215
    request.add(b"T", 255)
    assert request.deadline == 260


MEBIBYTE = 1024 * 1024
UPLOADS = ReceiveLimits(idle_seconds=10, total_seconds=60, body_bytes=1000, upload_bytes=8 * MEBIBYTE)
CONTENT = bytes(range(256)) * 4096 * 3
UPLOAD = b"POST /webhook/token HTTP/1.1\r\n"
LARGE = {
    "counted": UPLOAD + b"Content-Length: %d\r\n\r\n" % len(CONTENT) + CONTENT,
    "in one chunk": UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(CONTENT) + CONTENT + b"\r\n0\r\n\r\n",
    "in small chunks": UPLOAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"800\r\n" + CONTENT[at : at + 2048] + b"\r\n" for at in range(0, len(CONTENT), 2048))
    + b"0\r\nChecksum: 1\r\n\r\n",
}


@pytest.mark.parametrize("large", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("following", [b"", NO_BODY], ids=["alone", "with another behind it"])
def test_a_large_body_is_held_in_a_file(large: bytes, following: bytes) -> None:
    request = begun(UPLOADS)
    sent = large + following
    for at in range(0, len(sent), 99_991):
        assert not request.complete
        request.add(sent[at : at + 99_991], 0)
        assert request.in_memory < 400_000
    assert (request.complete, request.truncated, request.rest()) == (True, False, following)
    assert request.in_file == len(CONTENT)
    assert request.body().read() == CONTENT


@pytest.mark.parametrize(
    ("path", "may_be"),
    [
        ("/webhook/t", True),
        ("/forms/t", True),
        ("/prefix/webhook/t", True),
        ("/workflows/17/run", True),
        ("/api/v1/workflows/17/run?draft=true", True),
        ("/api/x/t", False),
        ("/api/v1/workflows/17", False),
        ("/api/v1/workflows/17/runs", False),
        ("/api/v1/executions/17/replay", False),
    ],
)
def test_only_what_may_bring_files_may_be_that_large(path: str, may_be: bool) -> None:
    head = f"POST {path} HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n".encode()
    request = begun(UPLOADS)
    request.add(head, 0)
    assert request.truncated is not may_be
