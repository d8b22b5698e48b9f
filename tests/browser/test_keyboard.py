"""Keys that every page has: the command palette, the list of keys, the way from one part of a page to the next."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.watched import Windows, grave_violations

Register = Callable[[Page], str]


def test_the_palette_leads_to_pages_does_what_is_wanted_and_opens_steps(windows: Windows, register: Register) -> None:
    page = windows.open()
    register(page)
    page.goto("/settings")
    command(page, "new workflow", "New workflow")
    page.wait_for_url(re.compile("/build"))
    page.get_by_label("Add a step here").click()
    page.keyboard.type("transform")
    page.keyboard.press("Enter")
    expect(page.locator(".node[data-at]")).to_have_count(1)
    page.locator(".trigger-node a").click()
    command(page, "transform", "Transform")
    expect(page.locator(".node[data-at]")).to_have_class(re.compile("opened"))
    command(page, "runs", "Executions")
    page.wait_for_url(re.compile("/executions$"))


def command(page: Page, words: str, chosen: str) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type(words)
    expect(page.get_by_role("option", selected=True).locator("strong")).to_have_text(chosen)
    assert grave_violations(page) == []
    page.keyboard.press("Enter")


def test_keys_are_listed_and_silent_where_somebody_writes(windows: Windows, register: Register) -> None:
    page = windows.open()
    register(page)
    page.goto("/executions")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Open the command palette")
    assert grave_violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("what?/")
    expect(page.locator("main input[type=search]")).to_have_value("what?/")
    expect(dialog).to_have_count(0)


def test_f6_goes_round_the_builder_and_escape_from_the_form_to_its_card(windows: Windows, register: Register) -> None:
    page = windows.open()
    register(page)
    page.goto("/workflows")
    page.get_by_role("button", name="New workflow").first.click()
    page.wait_for_url(re.compile("/build"))
    page.get_by_label("Add a step here").click()
    page.keyboard.type("transform")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Transform")
    card = page.locator('.node[data-at="/actions/0"] .open')
    page.keyboard.press("Escape")
    expect(card).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel :focus")).to_have_count(1)
    for part in ("#panel [data-region] :focus", ".bar :focus", "#bar :focus", "#flow :focus", "#panel :focus"):
        page.keyboard.press("F6")
        expect(page.locator(part)).to_have_count(1)
    page.keyboard.press("Shift+F6")
    expect(card).to_be_focused()
