"""Cookies of one execution: set by an answer, kept in the output, sent by the steps that go on with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from flowforge.connectors.http_client.cookies import Cookies
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.sdk import StepContext
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.running import run

LATER = "Expires=Wed, 21 Oct 2099 07:28:00 GMT"


def call(context: StepContext, url: str, **config: Any) -> dict[str, Any]:
    return run("HTTP_REQUEST", {"url": url, **config}, context)


def setting(httpserver: HTTPServer, path: str, *cookies: str, **more: Any) -> str:
    """The address of a page that sets cookies."""
    headers = [("Set-Cookie", cookie) for cookie in cookies]
    httpserver.expect_request(path).respond_with_data("", headers=[*headers, *more.pop("headers", [])], **more)
    return httpserver.url_for(path)


def sent(httpserver: HTTPServer) -> str | None:
    request, _ = httpserver.log[-1]
    return request.headers.get("Cookie")


@pytest.fixture
def page(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/page").respond_with_data("")
    return httpserver.url_for("/page")


def test_a_step_goes_on_with_what_the_last_one_kept(httpserver: HTTPServer, context: StepContext, page: str) -> None:
    login = setting(httpserver, "/login", f"sid=a1; Path=/; {LATER}; HttpOnly", "csrf=b2; Path=/")
    first = call(context, login, cookies=True)
    other = {"cookies": "of something else"}
    second = call(replace(context, steps={"step_9": first, "step_2": other, "step_10": {"n": 1}}), page, cookies=True)
    assert sent(httpserver) == "sid=a1; csrf=b2"
    assert second["cookies"] == first["cookies"]
    assert first["cookies"][0] == {
        "name": "sid",
        "value": "a1",
        "domain": "localhost.local",
        "path": "/",
        "hostOnly": True,
        "secure": False,
        "expires": 4_096_250_880,
    }


def test_or_with_those_of_a_step_that_it_names(httpserver: HTTPServer, context: StepContext, page: str) -> None:
    kept = call(context, setting(httpserver, "/login", "sid=a1; Path=/"), cookies=True)["cookies"]
    call(context, page, cookies=kept, headers={"Cookie": "own=1"})
    assert sent(httpserver) == "own=1; sid=a1"


def test_one_that_does_not_ask_for_them_neither_sends_nor_keeps_any(
    httpserver: HTTPServer, context: StepContext, page: str
) -> None:
    kept = call(context, setting(httpserver, "/login", "sid=a1; Path=/"), cookies=True)
    output = call(replace(context, steps={"step_0": kept}), page)
    assert sent(httpserver) is None
    assert "cookies" not in output


def test_they_are_taken_from_redirects_and_sent_after_them(
    httpserver: HTTPServer, context: StepContext, page: str
) -> None:
    login = setting(httpserver, "/login", "sid=a1; Path=/", status=302, headers=[("Location", "/page")])
    assert [cookie["value"] for cookie in call(context, login, cookies=True)["cookies"]] == ["a1"]
    assert sent(httpserver) == "sid=a1"


@pytest.mark.parametrize(
    ("cookie", "why"),
    [
        ("sid=a1; Path=/admin", "another path"),
        ("sid=a1; Domain=example.test", "another domain"),
        ("sid=a1; Path=/; Max-Age=0", "ended"),
        ("sid=a1; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "expired"),
        ("sid=a1; Path=/; Secure", "only by https"),
    ],
)
def test_what_does_not_belong_to_an_address_is_not_sent_there(
    httpserver: HTTPServer, context: StepContext, page: str, cookie: str, why: str
) -> None:
    kept = call(context, setting(httpserver, "/login", cookie), cookies=True)["cookies"]
    call(context, page, cookies=kept)
    assert sent(httpserver) is None, why


def test_nor_to_another_host(httpserver: HTTPServer, context: StepContext, page: str) -> None:
    kept = call(context, setting(httpserver, "/login", "sid=a1; Path=/"), cookies=True)["cookies"]
    call(context, page.replace("localhost", "127.0.0.1"), cookies=kept)
    assert sent(httpserver) is None


def test_one_that_is_ended_is_forgotten(httpserver: HTTPServer, context: StepContext, page: str) -> None:
    kept = call(context, setting(httpserver, "/login", "sid=a1; Path=/", "b=2; Path=/"), cookies=True)["cookies"]
    httpserver.expect_request("/logout").respond_with_response(
        Response(headers={"Set-Cookie": "sid=; Path=/; Max-Age=0"})
    )
    left = call(context, httpserver.url_for("/logout"), cookies=kept)["cookies"]
    assert [cookie["name"] for cookie in left] == ["b"]


HERE = {"name": "a", "domain": "localhost.local", "path": "/"}


@pytest.mark.parametrize("kept", [[{}], [HERE], [{**HERE, "value": 1}], [{**HERE, "value": "1\r\nX-Injected: yes"}]])
def test_what_is_no_cookie_is_not_sent(
    httpserver: HTTPServer, context: StepContext, page: str, kept: list[dict[str, Any]]
) -> None:
    call(context, page, cookies=kept)
    assert sent(httpserver) is None


def to(url: str) -> Request:
    return Request("GET", url, {}, b"")


def goes_to(cookies: Cookies, url: str) -> str | None:
    return cookies.added_to(to(url)).header("Cookie") or None


@pytest.mark.parametrize(
    "domain", ["co.uk", ".co.uk", "com", ".com.au", "org.nz", "other.co.uk", "uk", "localhost", "1.2"]
)
def test_nobody_sets_cookies_for_others(domain: str) -> None:
    cookies = Cookies()
    cookies.take(to("https://shop.co.uk/"), [f"a=1; Domain={domain}"])
    for url in ("https://other.co.uk/", "https://bank.com.au/", "https://bank.org.nz/", "https://bank.com/"):
        assert goes_to(cookies, url) is None


def test_one_for_a_whole_site_goes_to_all_of_it() -> None:
    cookies = Cookies()
    cookies.take(to("https://www.shop.co.uk/"), ["a=1; Domain=shop.co.uk"])
    assert goes_to(cookies, "https://api.shop.co.uk/") == "a=1"
    assert goes_to(Cookies.read(cookies.as_json()), "https://api.shop.co.uk/") == "a=1"


def test_they_are_bounded() -> None:
    cookies = Cookies()
    for start in range(0, 2_000, 50):
        cookies.take(to("https://shop.test/"), [f"c{number}=1" for number in range(start, start + 50)])
    cookies.take(to("https://shop.test/"), ["large=" + "x" * 5_000])
    assert len(cookies.as_json()) == 1_000
