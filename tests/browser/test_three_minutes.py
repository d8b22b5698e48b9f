"""Somebody new has a workflow running in three minutes: without the guide, without a terminal, on a desk and on a
phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Locator, Page, Request, expect
from pytest_httpserver import HTTPServer

from tests.browser.watched import SIZES, Windows

MOST_CLICKS, MOST_KEYS, MOST_PAGES = 14, 40, 2


class Hands:
    """Clicks and types, and counts it; pasting counts as one key."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.keys = self.pages = 0
        page.on("request", self._count_page)

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def paste(self, text: str) -> None:
        self.page.keyboard.insert_text(text)
        self.keys += 1

    def _count_page(self, request: Request) -> None:
        """A redirect belongs to the page that it leads to."""
        self.pages += request.is_navigation_request() and request.redirected_from is None


@pytest.mark.parametrize("size", SIZES)
def test_a_webhook_calls_another_service_and_the_first_real_call_is_seen(
    windows: Windows, register: Callable[[Page], str], httpserver: HTTPServer, size: str
) -> None:
    httpserver.expect_request("/orders").respond_with_json({"stored": True})
    page = windows.open(size)
    register(page)
    hands = Hands(page)
    hands.click(page.get_by_role("button", name="New workflow").first)
    hands.click(page.get_by_label("Name of the workflow"))
    hands.press("Control+a")
    hands.type("Orders")
    hands.click(page.get_by_role("button", name="Send test request"))
    expect(page.locator("#called")).to_contain_text("Sent")
    hands.click(page.locator(".slot .plus"))
    hands.type("http")
    hands.press("Enter")
    expect(page.get_by_label("URL", exact=False).first).to_be_focused()
    hands.paste(httpserver.url_for("/orders"))
    hands.click(page.locator("#bar").get_by_role("button", name="Test"))
    expect(page.locator('.node[data-at="/actions/0"] .run-mark')).to_contain_text("Succeeded")
    hands.click(page.locator("#bar summary", has_text="Publish"))
    hands.click(page.get_by_role("button", name="Publish now"))
    url = page.locator("[data-published-url] pre")
    hands.click(page.locator("[data-published-url]").get_by_role("button", name="Copy"))
    answer = requests.post(url.inner_text(), json={"order": 17}, timeout=10)
    assert answer.status_code == 200
    expect(page.get_by_text("The first call came in")).to_be_visible()
    hands.click(page.get_by_role("link", name="Show the run"))
    expect(page.locator('.node[data-at="/actions/0"] .run-mark')).to_contain_text("Succeeded")
    assert hands.clicks <= MOST_CLICKS
    assert hands.keys <= MOST_KEYS
    assert hands.pages <= MOST_PAGES
    assert len(httpserver.log) == 2
