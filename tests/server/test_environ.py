"""The WSGI environment of a request, from a real server."""

from __future__ import annotations

from typing import Any

from tests.services.http_server import response, serving
from webapp.intake.headers import AS_SENT


def asked(request: bytes) -> dict[str, Any]:
    """What the application sees of it; its body in place of the stream."""
    seen: dict[str, Any] = {}

    def note(environ: dict[str, Any]) -> None:
        seen.update(environ | {"wsgi.input": environ["wsgi.input"].read()})

    with serving(response(b"", note=note)) as running:
        running.exchange(request)
        seen["port"] = str(running.port)
    return seen


def test_it_tells_all_that_wsgi_asks_for() -> None:
    seen = asked(
        b"POST /a%20b?c=%64 HTTP/1.1\r\nHost: h:1\r\nX-Tag: 1\r\nx-tag: 2\r\n"
        b"Content-Type: t/p\r\nContent-Length: 2\r\n\r\nhi"
    )
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=%64",
        "RAW_URI": "/a%20b?c=%64",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": seen["port"],
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "h:1",
        "HTTP_X_TAG": "1,2",
        "CONTENT_TYPE": "t/p",
        "CONTENT_LENGTH": "2",
        "wsgi.url_scheme": "http",
        "wsgi.input": b"hi",
        "wsgi.input_terminated": True,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    assert {key: seen[key] for key in expected} == expected
    assert seen[AS_SENT] == [
        ("Host", "h:1"),
        ("X-Tag", "1"),
        ("x-tag", "2"),
        ("Content-Type", "t/p"),
        ("Content-Length", "2"),
    ]
    assert int(seen["REMOTE_PORT"])


def test_no_header_says_who_asks_or_where_the_application_lies() -> None:
    sent = b"Script-Name: /a\r\nSCRIPT_NAME: /a\r\nRemote-Addr: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n"
    seen = asked(b"GET /a/b HTTP/1.1\r\nHost: h\r\n" + sent + b"\r\n")
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"], seen["REMOTE_ADDR"]) == ("", "/a/b", "127.0.0.1")
    assert (seen["wsgi.url_scheme"], seen["HTTP_SCRIPT_NAME"]) == ("http", "/a")


def test_a_body_in_chunks_is_read_like_any_other() -> None:
    seen = asked(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n")
    assert seen["wsgi.input"] == b"hi!"
    assert "CONTENT_LENGTH" not in seen
