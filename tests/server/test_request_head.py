"""What a request's head says; and that one which two readers could understand differently is refused."""

from __future__ import annotations

import pytest

from webapp.server.refusals import Refused
from webapp.server.request_head import HeadLimits, RequestHead, parse_head

LIMITS = HeadLimits()


def head(line: str = "GET / HTTP/1.1", *fields: str) -> RequestHead:
    return parse_head("\r\n".join([line, *fields]).encode("latin-1"), LIMITS)


def refused(line: str = "GET / HTTP/1.1", *fields: str) -> int:
    with pytest.raises(Refused) as refusal:
        head(line, *fields)
    return int(refusal.value.status)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a/b?c=d?e&f=%20", "/a/b", "c=d?e&f=%20"),
        ("/a%20b%C3%A9%2F", "/a b\xc3\xa9/", ""),
        ("/a%zz%", "/a%zz%", ""),
        ("//a//b", "//a//b", ""),
        ("/a;b=c", "/a;b=c", ""),
        ("/a#b?c", "/a", ""),
        ("/a?b#c", "/a", "b"),
        ("/http://x", "/http://x", ""),
        ("http://host/a?b", "/a", "b"),
        ("http://host", "", ""),
    ],
)
def test_a_target_is_a_path_and_a_query(target: str, path: str, query: str) -> None:
    read = head(f"GET {target} HTTP/1.1")
    assert (read.target, read.path, read.query) == (target, path, query)


def test_options_may_ask_for_the_server_as_a_whole() -> None:
    assert head("OPTIONS * HTTP/1.1").path == "*"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "GET /",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET / HTTP/1.1 ",
        "GET  / HTTP/1.1",
        "GET\t/\tHTTP/1.1",
        " GET / HTTP/1.1",
        "get / HTTP/1.1",
        "GO / HTTP/1.1",
        "G(T / HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
        "GET /\x00 HTTP/1.1",
        "GET /\n HTTP/1.1",
        "GET * HTTP/1.1",
        "GET host:80 HTTP/1.1",
        "GET a HTTP/1.1",
        "GET http://[::1/ HTTP/1.1",
        "CONNECT host:80 HTTP/1.1",
        "CONNECT / HTTP/1.1",
        "PRI * HTTP/2.0",
    ],
)
def test_another_request_line_is_refused(line: str) -> None:
    assert refused(line) == 400


@pytest.mark.parametrize(
    "field",
    [
        "X",
        ": value",
        "X : value",
        "X\xe9: value",
        "X\x00: value",
        "X: a\x00b",
        "X: a\rb",
        "X: a\nb",
        "X: a\x7fb",
        " folded",
        "\tfolded",
        "",
    ],
)
def test_a_line_that_is_no_header_is_refused(field: str) -> None:
    assert refused("GET / HTTP/1.1", "Host: x", field) == 400
    assert refused("GET / HTTP/1.1", field, "Host: x") == 400


def test_headers_keep_their_order_their_names_and_their_bytes() -> None:
    read = head("GET / HTTP/1.1", "hOST: x", "X-Tag:\t a \xe9 ", "x-tag:b", "Accept:")
    assert read.fields == [("hOST", "x"), ("X-Tag", "a \xe9"), ("x-tag", "b"), ("Accept", "")]
    assert read.headers == {"HTTP_HOST": "x", "HTTP_X_TAG": "a \xe9,b", "HTTP_ACCEPT": ""}


def test_a_name_with_an_underscore_is_taken_for_no_other() -> None:
    read = head("POST / HTTP/1.1", "Content_Length: 5", "X_User: root", "Content-Type: a/b")
    assert (read.headers, read.body_length) == ({"CONTENT_TYPE": "a/b"}, 0)


@pytest.mark.parametrize("name", ["Host", "Content-Type", "Content-Length"])
def test_what_can_have_one_value_comes_once(name: str) -> None:
    assert refused("POST / HTTP/1.1", f"{name}: 1", f"{name.lower()}: 1") == 400


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ([], 0),
        (["Content-Length: 17"], 17),
        (["Content-Length: 007"], 7),
        (["Content-Length: " + "9" * 30], int("9" * 30)),
        (["Transfer-Encoding: chunked"], None),
        (["Transfer-Encoding: CHUNKED"], None),
    ],
)
def test_the_length_of_a_body_is_told(fields: list[str], length: int | None) -> None:
    assert head("POST / HTTP/1.1", *fields).body_length == length


@pytest.mark.parametrize("length", ["", "-1", "+1", "0x1", "1,1", "1 1", "1.0", "\xb2", "1_0"])
def test_what_is_no_length_is_refused(length: str) -> None:
    assert refused("POST / HTTP/1.1", f"Content-Length: {length}") == 400


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["Transfer-Encoding: chunked", "Content-Length: 3"], 400),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400),
        (["Transfer-Encoding: chunked, identity"], 400),
        (["Transfer-Encoding: xchunked"], 400),
        (["Transfer-Encoding: identity"], 400),
        (["Transfer-Encoding: "], 400),
        (["Transfer-Encoding: gzip, chunked"], 501),
    ],
)
def test_a_body_whose_end_is_not_certain_is_refused(fields: list[str], status: int) -> None:
    assert refused("POST / HTTP/1.1", *fields) == status


def test_chunks_are_of_newer_senders() -> None:
    assert refused("POST / HTTP/1.0", "Transfer-Encoding: chunked") == 400


@pytest.mark.parametrize(
    ("protocol", "connection", "keeps_alive"),
    [
        ("1.1", None, True),
        ("1.1", "close", False),
        ("1.1", "Close", False),
        ("1.1", "upgrade, close", False),
        ("1.1", "upgrade", True),
        ("1.0", None, False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "keep-alive, close", False),
        ("1.2", None, True),
    ],
)
def test_a_connection_is_kept_as_its_sender_wants(protocol: str, connection: str | None, keeps_alive: bool) -> None:
    fields = [] if connection is None else [f"Connection: {connection}"]
    assert head(f"GET / HTTP/{protocol}", *fields).keeps_alive is keeps_alive


def test_only_newer_senders_wait_to_be_told_to_go_on() -> None:
    assert head("POST / HTTP/1.1", "Expect: 100-Continue").expects_continue
    assert not head("POST / HTTP/1.0", "Expect: 100-continue").expects_continue
    assert refused("POST / HTTP/1.1", "Expect: more") == 417


def test_one_empty_line_may_stand_before_a_request() -> None:
    assert head("", "GET / HTTP/1.1").method == "GET"
    assert refused("", "", "GET / HTTP/1.1") == 400


def test_what_is_too_long_is_refused() -> None:
    assert head("GET /" + "x" * (4094 - len("GET / HTTP/1.1")) + " HTTP/1.1")
    assert refused("GET /" + "x" * (4095 - len("GET / HTTP/1.1")) + " HTTP/1.1") == 414
    assert head("GET / HTTP/1.1", "X: " + "x" * (8188 - len("X: ")))
    assert refused("GET / HTTP/1.1", "X: " + "x" * (8189 - len("X: "))) == 431
    assert len(head("GET / HTTP/1.1", *["X: y"] * 100).fields) == 100
    assert refused("GET / HTTP/1.1", *["X: y"] * 101) == 431
