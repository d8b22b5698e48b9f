"""The builder before its scripts have run, as a slow network or a busy machine shows it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.watched import Windows

SCRIPTS = re.compile(r"/static/.*/builder/main\.js$")


@pytest.fixture
def page(windows: Windows, register: Callable[[Page], str]) -> Page:
    """Of somebody whose new workflow has been opened."""
    page = windows.open()
    register(page)
    page.goto("/workflows")
    page.get_by_role("button", name="New workflow").first.click()
    page.wait_for_url(re.compile("/build"))
    return page


def reload_without_scripts(page: Page) -> list[Route]:
    """Returns the requests for them, which wait."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(SCRIPTS, hold)
    page.reload(wait_until="commit")
    expect(page.get_by_role("button", name="Send test request")).to_be_visible()
    return held


def test_what_is_typed_and_clicked_before_the_scripts_have_run_is_done_once_they_have(page: Page) -> None:
    held = reload_without_scripts(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.get_by_label("Name of the workflow").fill("Orders")
    page.get_by_role("button", name="Send test request").dblclick()
    page.get_by_label("Add a step here").click()
    for route in held:
        route.continue_()
    expect(page.locator("#called")).to_contain_text("Sent")
    expect(page.get_by_role("dialog", name="Add a step")).to_be_visible()
    assert asked.count("call") == 1
    assert "build" not in asked
    page.unroute(SCRIPTS)
    page.reload()
    expect(page.get_by_label("Name of the workflow")).to_have_value("Orders")


def test_where_the_scripts_cannot_be_had_the_page_works_without_them(page: Page, windows: Windows) -> None:
    held = reload_without_scripts(page)
    page.get_by_label("Add a step here").click()
    page.route(SCRIPTS, lambda route: route.abort())
    for route in held:
        route.abort()
    page.get_by_role("button", name="Transform").click()
    expect(page.locator(".node[data-at]")).to_contain_text("Transform")
    windows.forgive("ERR_FAILED")
