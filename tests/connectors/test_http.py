"""The one HTTP client: bounded in time and size, and kept out of private networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from flowforge.connectors.http_client.guarded_adapter import PUBLIC
from flowforge.connectors.http_client.pace import NoPace, Pace
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.response import Response as Answer
from flowforge.connectors.http_client.tls import TlsIdentity
from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.settings import Settings
from tests.connectors import rude_server
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.rude_server import Behaviour, rude
from tests.connectors.running import run


@pytest.mark.parametrize(
    ("behaviour", "message", "permanent"),
    [
        (rude_server.hangs, "did not answer in time", False),
        (rude_server.drips_its_head, "did not answer in time", False),
        (rude_server.drips_its_body, "in time", False),
        (rude_server.drips_its_chunk_size, "in time", False),
        (rude_server.declares_3_gb, "answers 3000000000 bytes; the limit is", True),
        (rude_server.sends_without_end, "answers more than", True),
        (rude_server.informs_without_end, "answers with headers that are too large", True),
        (rude_server.sends_long_headers, "answers with headers that are too large", True),
        (rude_server.sends_many_headers, "the connection to 127.0.0.1 failed", False),
        (rude_server.wraps_each_byte, "answers with chunks that are too large", True),
        (rude_server.resets, "the connection to 127.0.0.1 failed", False),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_receiver_that_misbehaves_is_an_error_in_time(
    make_context: Callable[..., StepContext], behaviour: Behaviour, message: str, permanent: bool
) -> None:
    context = make_context(seconds=1.0 if "in time" in message else 30.0, http_response_max_bytes=1_000_000)
    with rude(behaviour) as url, pytest.raises(ConnectorError, match=message) as caught:
        context.tools.http.send(context, "GET", url)
    assert caught.value.permanent is permanent
    assert time.monotonic() < context.deadline + 5


def test_the_size_of_a_chunk_has_an_end(make_context: Callable[..., StepContext]) -> None:
    context = make_context(seconds=30.0, http_response_max_bytes=1_000_000)
    behaviour, message = (
        rude_server.names_no_end_of_a_chunk_size,
        "chunks that are too large|the connection to .* failed",
    )
    with rude(behaviour) as url, pytest.raises(ConnectorError, match=message):
        context.tools.http.send(context, "GET", url)


def test_a_handshake_that_drips_is_cut_at_the_deadline(make_context: Callable[..., StepContext]) -> None:
    context = make_context(seconds=1.0)
    with rude(rude_server.drips_a_handshake) as url, pytest.raises(ConnectorError, match="in time"):
        context.tools.http.send(context, "GET", url.replace("http:", "https:"))


def test_a_receiver_that_stops_reading_is_left_at_the_deadline(make_context: Callable[..., StepContext]) -> None:
    context = make_context(seconds=1.0, http_request_max_bytes=100_000_000)
    with rude(rude_server.takes_nothing_more) as url, pytest.raises(ConnectorError, match="in time"):
        context.tools.http.send(context, "POST", url, data=b"x" * 50_000_000)


class TestRequestBodies:
    """None is larger than the limit, in whatever way it is written."""

    @pytest.mark.parametrize(
        ("config", "size"),
        [
            ({"body": "x" * 1025}, "1025 bytes"),
            ({"body": {"text": "x" * 1014}}, "1025 bytes"),
            ({"body": {"text": "\x01" * 1000}}, "6011 bytes"),
            ({"form": {"text": "ü" * 400}}, "2405 bytes"),
            ({"body": ["x" * 1000] * 1000}, "more than 1024 bytes"),
        ],
        ids=["text", "JSON", "JSON with escapes", "form", "one text many times"],
    )
    def test_a_larger_one_is_refused_with_its_size(
        self, make_context: Callable[..., StepContext], config: dict[str, object], size: str
    ) -> None:
        context = make_context(http_request_max_bytes=1024)
        with pytest.raises(ConnectorError, match=rf"the request body has {size}.* limit") as caught:
            run("HTTP_REQUEST", {"method": "POST", "url": "http://127.0.0.1:9/", **config}, context)
        assert caught.value.permanent

    @pytest.mark.parametrize(
        ("type_", "config"),
        [
            ("SLACK_MESSAGE", {"webhookUrl": "http://127.0.0.1:9/", "message": "x" * 1100}),
            ("SLACK_MESSAGE", {"webhookUrl": "http://127.0.0.1:9/"}),
            (
                "GOOGLE_SHEET_ROW",
                {
                    "endpoint": "http://127.0.0.1:9",
                    "spreadsheetId": "s",
                    "range": "A1",
                    "apiKey": "k",
                    "values": ["x" * 1100],
                },
            ),
        ],
        ids=["a message", "all the data there is", "a row"],
    )
    def test_every_connector_keeps_to_the_limit(
        self, make_context: Callable[..., StepContext], type_: str, config: dict[str, object]
    ) -> None:
        context = replace(make_context(http_request_max_bytes=1024), trigger={"body": "x" * 1100})
        with pytest.raises(ConnectorError, match="the request body has") as caught:
            run(type_, config, context)
        assert caught.value.permanent

    def test_one_that_fits_is_sent(self, httpserver: HTTPServer, make_context: Callable[..., StepContext]) -> None:
        httpserver.expect_request("/").respond_with_data("ok")
        context = make_context(http_request_max_bytes=1024)
        config = {"method": "POST", "url": httpserver.url_for("/"), "body": {"text": "x" * 1013}}
        assert run("HTTP_REQUEST", config, context)["status"] == 200

    def test_one_nested_too_deeply_for_json_is_refused(self, context: StepContext) -> None:
        body: list[object] = []
        for _ in range(500):
            body = [body]
        with pytest.raises(ConnectorError, match="nested too deeply") as caught:
            run("HTTP_REQUEST", {"method": "POST", "url": "http://127.0.0.1:9/", "body": body}, context)
        assert caught.value.permanent


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *[(status, False) for status in (408, 429, 500, 502, 503, 504)],
        *[(status, False) for status in (520, 521, 522, 523, 524, 529)],
        *[(status, True) for status in (400, 404, 501, 505, 525, 530)],
    ],
)
def test_statuses_tell_whether_trying_again_can_help(
    httpserver: HTTPServer, context: StepContext, status: int, permanent: bool
) -> None:
    httpserver.expect_request("/").respond_with_data("no", status=status, headers={"Retry-After": "7"})
    answer = context.tools.http.send(context, "GET", httpserver.url_for("/"))
    with pytest.raises(ConnectorError, match=f"it answered {status}") as caught:
        answer.raise_for_status("it")
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, 7.0)


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        ('{\n  "error": "no such order"\n}', "application/json", 'it answered 404: {\n  "error": "no such order"\n}'),
        ("no_service", "text/html", "it answered 404: no_service"),
        ("<html><title>Not found</title></html>", "text/html; charset=utf-8", "it answered 404"),
        ("\x89PNG", "image/png", "it answered 404"),
        ("", "text/plain", "it answered 404"),
    ],
)
def test_the_reason_that_the_answer_gives_is_told(
    httpserver: HTTPServer, context: StepContext, body: str, kind: str, told: str
) -> None:
    httpserver.expect_request("/").respond_with_data(body, status=404, content_type=kind)
    answer = context.tools.http.send(context, "GET", httpserver.url_for("/"))
    with pytest.raises(ConnectorError) as caught:
        answer.raise_for_status("it")
    assert str(caught.value) == told


def test_every_request_carries_the_attempts_idempotency_key(httpserver: HTTPServer, context: StepContext) -> None:
    httpserver.expect_request("/", headers={"Idempotency-Key": "key-1"}).respond_with_json({"ok": True})
    assert context.tools.http.send(context, "POST", httpserver.url_for("/"), json={}).body() == {"ok": True}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://[::1]:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://0.0.0.0:9/",
        "http://2130706433:9/",
    ],
)
def test_private_addresses_are_refused(make_context: Callable[..., StepContext], url: str) -> None:
    context = make_context(networks="false")
    with pytest.raises(ConnectorError, match="private network") as caught:
        context.tools.http.send(context, "GET", url)
    assert caught.value.permanent


def test_a_redirect_to_a_private_address_is_refused(
    httpserver: HTTPServer, make_context: Callable[..., StepContext]
) -> None:
    context = make_context(networks="127.0.0.1/32")
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"Location": "http://127.0.0.2:9/"})
    with pytest.raises(ConnectorError, match="private network"):
        context.tools.http.send(context, "GET", httpserver.url_for("/"))


def test_redirects_are_followed_a_few_times(httpserver: HTTPServer, context: StepContext) -> None:
    httpserver.expect_request("/loop").respond_with_data("", status=302, headers={"Location": "/loop"})
    with pytest.raises(ConnectorError, match="redirects more than 5 times"):
        context.tools.http.send(context, "GET", httpserver.url_for("/loop"))


def test_secrets_do_not_follow_a_redirect_to_another_host(httpserver: HTTPServer, context: StepContext) -> None:
    elsewhere = httpserver.url_for("/end").replace("localhost", "127.0.0.1")
    httpserver.expect_request("/").respond_with_data("", status=307, headers={"Location": elsewhere})
    httpserver.expect_request("/end").respond_with_json({})
    start = httpserver.url_for("/").replace("127.0.0.1", "localhost")
    context.tools.http.send(context, "POST", start, json={}, headers={"Authorization": "Bearer s", "X-Key": "s"})
    request, _ = httpserver.log[-1]
    assert not {"Authorization", "X-Key"} & set(request.headers.keys())


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.test/", "gopher://x/"])
def test_only_http_can_be_called(context: StepContext, url: str) -> None:
    with pytest.raises(ConnectorError, match="only http"):
        context.tools.http.send(context, "GET", url)


@pytest.mark.parametrize("url", ["http://[::1", "http://[x]/", "http://127.0.0.1:99999/", "http://127.0.0.1:x/"])
def test_what_is_no_address_is_refused(context: StepContext, url: str) -> None:
    with rude(rude_server.redirects_to(url)) as redirecting:
        for called in (url, redirecting):
            with pytest.raises(ConnectorError, match="is not valid") as caught:
                context.tools.http.send(context, "GET", called)
            assert caught.value.permanent


def test_an_unknown_host_is_named(context: StepContext) -> None:
    with pytest.raises(ConnectorError, match=r"the host 'no-such-host\.invalid' is not known"):
        context.tools.http.send(context, "GET", "http://no-such-host.invalid/")


@pytest.mark.parametrize(
    ("address", "allowed"), [("10.1.2.3", True), ("10.2.0.1", False), ("8.8.8.8", True), ("224.0.0.1", False)]
)
def test_an_operator_can_open_networks(address: str, allowed: bool) -> None:
    settings = Settings(_env_file=None, allow_private_networks_setting="10.1.0.0/16")
    assert AddressGuard(settings.allowed_private_networks).allows(address) is allowed


@pytest.mark.parametrize(
    "address",
    [
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::1",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "fec0::1",
        "fe80::1%eth0",
        "fd00::1",
    ],
)
def test_a_private_address_is_private_in_whatever_it_is_wrapped(address: str) -> None:
    assert not AddressGuard([]).allows(address)


@pytest.mark.parametrize("address", ["2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_public_ones_are_not(address: str) -> None:
    assert AddressGuard([]).allows(address)


def test_loopback_can_be_opened_in_both_families() -> None:
    guard = AddressGuard(
        Settings(_env_file=None, allow_private_networks_setting="127.0.0.0/8,::1/128").allowed_private_networks
    )
    assert guard.allows("127.0.0.1")
    assert guard.allows("::1")


@pytest.mark.parametrize(
    ("data", "kind", "body"),
    [
        ("Grüße".encode("latin-1"), "text/plain; charset=iso-8859-1", "Grüße"),
        ('{"n":"5 € Müller"}'.encode("iso-8859-15"), 'application/json;charset="ISO-8859-15"', {"n": "5 € Müller"}),
        ("Grüße".encode("cp1252"), "text/plain", "Grüße"),
        (b'\xef\xbb\xbf{"n":1}', "application/json", {"n": 1}),
        (b"a" * 60_000, "text/plain; charset=punycode", "a" * 60_000),
    ],
    ids=["text", "json", "undeclared", "byte order mark", "not of the web"],
)
def test_an_answer_is_read_in_the_charset_that_it_names(
    httpserver: HTTPServer, context: StepContext, data: bytes, kind: str, body: object
) -> None:
    httpserver.expect_request("/").respond_with_data(data, content_type=kind)
    assert context.tools.http.send(context, "GET", httpserver.url_for("/")).body() == body


@dataclass(frozen=True)
class Adding:
    """A signer that adds headers, as a connection does that somebody has filled in."""

    headers: Mapping[str, str]
    identity: TlsIdentity = PUBLIC
    pace: Pace = field(default_factory=NoPace)
    signs_at_once: bool = True

    def sign(self, request: Request) -> Request:
        return request.with_headers(self.headers)

    def renew(self, refusal: Answer) -> bool:
        return False


@pytest.mark.parametrize("by_connection", [False, True])
@pytest.mark.parametrize("given", [{"content-length": "90"}, {"Transfer-Encoding": "chunked"}])
@pytest.mark.parametrize(("method", "body"), [("POST", b"0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"), ("GET", None)])
def test_the_end_of_a_body_is_nobodys_to_say(
    httpserver: HTTPServer,
    context: StepContext,
    method: str,
    body: bytes | None,
    given: dict[str, str],
    by_connection: bool,
) -> None:
    """Connections are shared by all: what a server took for the next request would be another account's."""
    httpserver.expect_request("/").respond_with_data("first")
    httpserver.expect_request("/next").respond_with_data("next")
    http, url = context.tools.http, httpserver.url_for("/")
    headers, signer = ({}, Adding(given)) if by_connection else (given, None)
    assert http.send(context, method, url, data=body, headers=headers, signed_by=signer).content == b"first"
    assert http.send(context, "GET", httpserver.url_for("/next")).content == b"next"
    assert [request.path for request, _ in httpserver.log] == ["/", "/next"]
    assert httpserver.log[0][0].get_data() == (body or b"")


def test_headers_in_utf8_arrive_as_they_were_sent(httpserver: HTTPServer, context: StepContext) -> None:
    httpserver.expect_request("/").respond_with_handler(
        lambda request: Response(headers={"X-Back": request.headers["X-Title"]})
    )
    answer = context.tools.http.send(context, "GET", httpserver.url_for("/"), headers={"X-Title": "Backup ✅"})
    assert answer.headers["x-back"] == "Backup ✅"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Tïtle", "a"),
        ("X Title", "a"),
        ("", "a"),
        ("X-Title:", "a"),
        ("X-Title", "a\r\nX-More: b"),
        ("X-Title", " a"),
    ],
)
def test_a_header_that_cannot_be_sent_is_named(
    context: StepContext, httpserver: HTTPServer, name: str, value: str
) -> None:
    with pytest.raises(ConnectorError, match="header") as refused:
        context.tools.http.send(context, "GET", httpserver.url_for("/"), headers={name: value})
    assert refused.value.permanent
    assert name in str(refused.value)


def test_a_user_in_the_address_signs_in(httpserver: HTTPServer, context: StepContext) -> None:
    httpserver.expect_request("/", headers={"Authorization": "Basic YWRhOnBhIHNz"}).respond_with_data("here")
    url = httpserver.url_for("/").replace("//", "//ada:pa%20ss@")
    assert context.tools.http.send(context, "GET", url).text == "here"


@pytest.mark.parametrize("url", ["  {}", "{}\n", "\t{} \r\n", "\u00a0{}"])
def test_blanks_around_an_address_do_not_count(httpserver: HTTPServer, context: StepContext, url: str) -> None:
    httpserver.expect_request("/").respond_with_data("here")
    assert run("HTTP_REQUEST", {"url": url.format(httpserver.url_for("/"))}, context)["body"] == "here"


class TestRepeatedHeaders:
    """Values of one header that came several times stay apart."""

    def test_each_cookie_can_be_told_from_the_others(self, httpserver: HTTPServer, context: StepContext) -> None:
        cookies = ["sid=a1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "csrf=b2"]
        assert (
            self._answered(httpserver, context, [("Set-Cookie", cookie) for cookie in cookies])["set-cookie"] == cookies
        )

    def test_whatever_header_it_is(self, httpserver: HTTPServer, context: StepContext) -> None:
        links = ["</1>; rel=first, </2>; rel=next", "</9>; rel=last"]
        answered = self._answered(httpserver, context, [("Link", links[0]), ("X-One", "a"), ("link", links[1])])
        assert (answered["link"], answered["x-one"]) == (links, "a")

    def test_connectors_read_them_joined(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/").respond_with_data("", headers=[("Vary", "Accept"), ("Vary", "Origin")])
        assert context.tools.http.send(context, "GET", httpserver.url_for("/")).headers["vary"] == "Accept, Origin"

    def _answered(
        self, httpserver: HTTPServer, context: StepContext, headers: list[tuple[str, str]]
    ) -> dict[str, object]:
        httpserver.expect_request("/").respond_with_data("", headers=headers)
        found: dict[str, object] = run("HTTP_REQUEST", {"url": httpserver.url_for("/")}, context)["headers"]
        return found


class TestWhatAnAnswerIsReadAs:
    """By its content type, unless the step says what it is."""

    @pytest.mark.parametrize(
        ("response", "kind", "sent", "body"),
        [
            ("automatic", "application/json", '{"n": 1}', {"n": 1}),
            ("automatic", "text/plain", '{"n": 1}', '{"n": 1}'),
            ("json", "text/html", '{"n": 1}', {"n": 1}),
            ("json", "application/octet-stream", "[1]", [1]),
            ("json", "text/plain", "", None),
            ("text", "application/json", '{"n": 1}', '{"n": 1}'),
        ],
    )
    def test_a_step_can_say_so(
        self, httpserver: HTTPServer, context: StepContext, response: str, kind: str, sent: str, body: object
    ) -> None:
        httpserver.expect_request("/").respond_with_data(sent, content_type=kind)
        assert run("HTTP_REQUEST", {"url": httpserver.url_for("/"), "response": response}, context)["body"] == body

    def test_what_should_be_json_and_is_not_is_an_error(self, httpserver: HTTPServer, context: StepContext) -> None:
        httpserver.expect_request("/").respond_with_data("<p>busy</p>", content_type="text/html")
        with pytest.raises(ConnectorError, match="the answer is not JSON") as caught:
            run("HTTP_REQUEST", {"url": httpserver.url_for("/"), "response": "json"}, context)
        assert caught.value.permanent

    @pytest.mark.parametrize("kind", ["", "application/octet-stream", "application/x-empty"])
    def test_it_is_the_last_answer_that_is_read(self, httpserver: HTTPServer, context: StepContext, kind: str) -> None:
        redirect = Response("", 302, {"Location": "/there", "Content-Type": kind})
        httpserver.expect_request("/").respond_with_response(redirect)
        httpserver.expect_request("/there").respond_with_json({"n": 1})
        output = run("HTTP_REQUEST", {"url": httpserver.url_for("/"), "failOnStatus": False}, context)
        assert (output["status"], output["body"]) == (200, {"n": 1})


@pytest.mark.parametrize("by_connection", [False, True])
def test_of_headers_that_differ_in_their_case_the_last_is_sent(
    httpserver: HTTPServer, context: StepContext, by_connection: bool
) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    given, signer = (
        ({}, Adding({"content-type": "text/csv"})) if by_connection else ({"content-type": "text/csv"}, None)
    )
    context.tools.http.send(context, "POST", httpserver.url_for("/"), json={}, headers=given, signed_by=signer)
    [(request, _)] = httpserver.log
    assert request.headers.getlist("Content-Type") == ["text/csv"]


def test_an_empty_body_is_sent_as_one(httpserver: HTTPServer, context: StepContext) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    for method in ("POST", "GET"):
        context.tools.http.send(context, method, httpserver.url_for("/"), data=b"")
    assert [request.headers.get("Content-Length") for request, _ in httpserver.log] == ["0", None]
