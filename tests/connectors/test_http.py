"""The one HTTP client: bounded in time and size, and kept out of private networks."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer

from flowforge.connectors.addresses import AddressGuard
from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.settings import Settings
from tests.connectors import rude_server
from tests.connectors.rude_server import Behaviour, rude


@pytest.mark.parametrize(
    ("behaviour", "message", "permanent"),
    [
        (rude_server.hangs, "did not answer in time", False),
        (rude_server.drips_its_head, "did not answer in time", False),
        (rude_server.drips_its_body, "in time", False),
        (rude_server.declares_3_gb, "answers 3000000000 bytes; the limit is", True),
        (rude_server.sends_without_end, "answers more than", True),
        (rude_server.resets, "the connection to 127.0.0.1 failed", False),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_receiver_that_misbehaves_is_an_error_in_time(
    make_context: Callable[..., StepContext], behaviour: Behaviour, message: str, permanent: bool
) -> None:
    context = make_context(seconds=1.0, http_response_max_bytes=1_000_000)
    with rude(behaviour) as url, pytest.raises(ConnectorError, match=message) as caught:
        context.tools.http.send(context, "GET", url)
    assert caught.value.permanent is permanent
    assert time.monotonic() < context.deadline + 5


@pytest.mark.parametrize(
    ("status", "permanent"), [(500, False), (503, False), (429, False), (408, False), (400, True), (404, True)]
)
def test_statuses_tell_whether_trying_again_can_help(
    httpserver: HTTPServer, context: StepContext, status: int, permanent: bool
) -> None:
    httpserver.expect_request("/").respond_with_data("no", status=status, headers={"Retry-After": "7"})
    answer = context.tools.http.send(context, "GET", httpserver.url_for("/"))
    with pytest.raises(ConnectorError, match=f"it answered {status}") as caught:
        answer.raise_for_status("it")
    assert (caught.value.permanent, caught.value.retry_after) == (permanent, 7.0)


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


def test_an_unknown_host_is_named(context: StepContext) -> None:
    with pytest.raises(ConnectorError, match=r"the host 'no-such-host\.invalid' is not known"):
        context.tools.http.send(context, "GET", "http://no-such-host.invalid/")


@pytest.mark.parametrize(
    ("address", "allowed"), [("10.1.2.3", True), ("10.2.0.1", False), ("8.8.8.8", True), ("224.0.0.1", False)]
)
def test_an_operator_can_open_networks(address: str, allowed: bool) -> None:
    settings = Settings(_env_file=None, allow_private_networks_setting="10.1.0.0/16")
    assert AddressGuard(settings.allowed_private_networks).allows(address) is allowed
