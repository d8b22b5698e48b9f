"""Every page that the application has, full of names as bad as people choose them: none overflows, and everybody can
use it, on a desk and on a phone, in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from flowforge.wiring import Backends
from tests.browser.all_pages import addresses_of_pages
from tests.browser.full_account import furnish
from tests.browser.watched import (
    ALL_BUT_COLOURS,
    COLOURS,
    SCHEMES,
    SIZES,
    Windows,
    grave_violations,
    show,
    wider_than_window,
)
from tests.people import PASSWORD, registered
from tests.services.serving import serving
from tests.ui.conftest import Browser as Client

PARTS = 3
"""So many test processes can look at the pages at once."""
_OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && element.clientWidth > 4 && element.scrollWidth > element.clientWidth + 1
    && getComputedStyle(element).overflowX === "visible" && !element.closest("svg, select, thead, .hidden, .skip")
).map((element) => `${element.outerHTML.slice(0, 120)}: ${element.scrollWidth} in ${element.clientWidth} px`)"""
_ONE_OF_EACH_KIND = """() => {
    const kinds = new Set();
    for (const article of document.querySelectorAll("article")) {
        const parts = [...article.querySelectorAll("*")].map(({ tagName, className }) => tagName + className);
        const kind = String([...new Set(parts)]);
        if (kinds.has(kind)) article.remove();
        kinds.add(kind);
    }
}"""
"""Of articles that are made of the same elements, one stays: with the hundreds on the page of the HTTP API, it takes
half a minute to compare the colours of all texts."""
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


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_fits_and_is_accessible_whatever_things_are_called(
    app: Flask, client: FlaskClient, backends: Backends, chromium: Browser, part: int
) -> None:
    account = furnish(client, backends, registered(client, "ada"))
    browser = Client(app.test_client())
    browser.send("/sign-in", "/sign-in", username="ada", password=PASSWORD)
    addresses = list(addresses_of_pages(app, account, browser.client))
    assert len(addresses) > 30
    with pages_of(app) as url:
        windows = Windows(chromium, url)
        page = signed_in(windows)
        found = [fault for address in addresses[part::PARTS] for fault in faults(page, address)]
        windows.close()
    assert found == []
    assert windows.troubles == []


def signed_in(windows: Windows) -> Page:
    page = windows.open()
    page.goto("/sign-in")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    return page


def faults(page: Page, address: str) -> Iterator[str]:
    """Looks at a page that is loaded once, since that takes as long as one of the looks."""
    page.goto(address)
    for size in SIZES:
        show(page, size, "light")
        overflowing = (*wider_than_window(page), *page.evaluate(_OVERFLOWING))
        for fault in (*overflowing, *page.evaluate(_SMALL_TARGETS), *grave_violations(page, ALL_BUT_COLOURS)):
            yield f"{address}, {size}: {fault}"
    page.evaluate(_ONE_OF_EACH_KIND)
    for size, scheme in product(SIZES, SCHEMES):
        show(page, size, scheme)
        for fault in grave_violations(page, COLOURS):
            yield f"{address}, {size}, {scheme}: {fault}"
