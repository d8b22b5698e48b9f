"""The help, as the product serves it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.watched import Windows


def test_help_opens_where_one_is_and_is_searched(windows: Windows, register: Callable[[Page], str]) -> None:
    page = windows.open()
    register(page)
    page.goto("/connections")
    page.get_by_role("link", name="Help").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Connections")

    page.get_by_role("button", name="Search").click()
    page.get_by_role("combobox", name="Search").fill("forgotten password")
    page.get_by_role("option", name="Forgotten passwords").first.click()
    expect(page.get_by_role("heading", name="Forgotten passwords")).to_be_visible()
