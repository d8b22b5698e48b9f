"""Where a request ends, however it is cut into pieces; and when a sender's time is over."""

from __future__ import annotations

import pytest

from webapp.server.request_buffer import ReceiveLimits, RequestBuffer

LIMITS = ReceiveLimits(idle_seconds=10, total_seconds=60, body_bytes=1000)
NO_BODY = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
COUNTED = b"POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 5\r\n\r\nhello"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA ;x=1\r\n0123456789\r\n0\r\n\r\n"
TRAILERS = CHUNKED[:-2] + b"Checksum: 1\r\n\r\n"


def buffered(*pieces: bytes) -> RequestBuffer:
    request = RequestBuffer(LIMITS, 0)
    for piece in pieces:
        request.add(piece, 0)
    return request


@pytest.mark.parametrize("request_", [NO_BODY, COUNTED, CHUNKED, TRAILERS])
def test_a_request_is_complete_with_its_last_byte(request_: bytes) -> None:
    slowly = RequestBuffer(LIMITS, 0)
    for byte in request_:
        assert not slowly.complete
        slowly.add(bytes([byte]), 0)
    assert (slowly.complete, slowly.truncated, slowly.take()) == (True, False, request_)


@pytest.mark.parametrize("request_", [NO_BODY, COUNTED, CHUNKED, TRAILERS])
def test_what_follows_belongs_to_the_next(request_: bytes) -> None:
    both = buffered(request_ + NO_BODY)
    assert (both.complete, both.truncated, both.take()) == (True, False, request_ + NO_BODY)


IN_CHUNKS = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "beginning",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n",
        IN_CHUNKS + b"3e9\r\n",
        IN_CHUNKS + (b"1;" + b"x" * 300 + b"\r\na\r\n") * 8,
        b"x" * (1024 * 1024 + 1),
    ],
    ids=["counted", "in one chunk", "in chunks of few bytes and many words", "without an end of its head"],
)
def test_what_is_too_long_is_not_waited_for(beginning: bytes) -> None:
    request = buffered(beginning)
    assert (request.complete, request.truncated) == (True, True)


@pytest.mark.parametrize(
    "wrong",
    [
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 9000,
    ],
)
def test_what_is_no_http_is_left_to_the_parser(wrong: bytes) -> None:
    assert buffered(wrong).complete


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
    request = RequestBuffer(UPLOADS, 0)
    sent = large + following
    for at in range(0, len(sent), 99_991):
        assert not request.complete
        request.add(sent[at : at + 99_991], 0)
        assert request.in_memory < 400_000
    assert (request.complete, request.truncated) == (True, False)
    taken = request.take()
    assert not isinstance(taken, bytes)
    with taken:
        assert taken.read() == sent


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
    assert RequestBuffer(UPLOADS, 0, head).truncated is not may_be
