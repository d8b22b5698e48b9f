"""Every page that the application has, full of names as bad as people choose them: none overflows, in both themes, on a
desk and on a phone, and everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from flowforge.wiring import Backends
from tests.browser.all_pages import addresses_of_pages
from tests.browser.full_account import furnish
from tests.browser.watched import SIZES, Windows, grave_violations
from tests.people import PASSWORD, registered
from tests.services.serving import serving
from tests.ui.conftest import Browser as Client

_OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && element.clientWidth > 4 && element.scrollWidth > element.clientWidth + 1
    && getComputedStyle(element).overflowX === "visible" && !element.closest("svg, select, thead, .hidden, .skip")
).map((element) => `${element.outerHTML.slice(0, 120)}: ${element.scrollWidth} in ${element.clientWidth} px`)"""
_SMALL_TARGETS = """() => [...document.querySelectorAll("button, summary, select, .bar a, th a, .actions a, .tabs a")]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest("p, .hidden"))
    .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && height && Math.min(width, height) < 24)
    .map(([html, { width, height }]) => `${html}: ${width} x ${height} px`)"""


@contextmanager
def pages_of(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.timeout(1_800)
def test_every_page_fits_and_is_accessible_whatever_things_are_called(
    app: Flask, client: FlaskClient, backends: Backends, chromium: Browser
) -> None:
    account = furnish(client, backends, registered(client, "ada"))
    browser = Client(app.test_client())
    browser.send("/sign-in", "/sign-in", username="ada", password=PASSWORD)
    addresses = list(addresses_of_pages(app, account, browser.client))
    assert len(addresses) > 30
    with pages_of(app) as url:
        windows = Windows(chromium, url)
        found = [fault for page in signed_in(windows) for address in addresses for fault in faults(page, address)]
        windows.close()
    assert found == []
    assert windows.troubles == []


def signed_in(windows: Windows) -> Iterator[Page]:
    """A light window at a desk, and a dark one on a phone."""
    for size, scheme in zip(SIZES, ("light", "dark"), strict=True):
        page = windows.open(size, scheme)
        page.goto("/sign-in")
        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        yield page


def faults(page: Page, address: str) -> Iterator[str]:
    """The rules that depend neither on theme nor size are looked at once."""
    page.goto(address)
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    violations = grave_violations(page, only="color-contrast" if is_dark else None)
    for fault in (*page.evaluate(_OVERFLOWING), *page.evaluate(_SMALL_TARGETS), *violations):
        yield f"{address}: {fault}"
