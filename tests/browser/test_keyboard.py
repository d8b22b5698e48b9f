"""Keys that every page has: the command palette, the list of keys, the way from one part of a page to the next."""

from __future__ import annotations

import json
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
    for part in ("#step-data", ".bar", "#bar", "#flow", "#step-parameters"):
        page.keyboard.press("F6")
        expect(page.locator(f"{part} :focus")).to_have_count(1)
    page.keyboard.press("Shift+F6")
    expect(card).to_be_focused()


def test_steps_of_a_long_flow_are_found_by_their_fields_and_by_the_outline(
    windows: Windows, register: Register
) -> None:
    page = windows.open()
    page.set_viewport_size({"width": 1680, "height": 900})
    register(page)
    steps = [{"type": "TRANSFORM", "config": {"output": {"number": f"n-{number}"}}} for number in range(12)]
    loop = {"type": "FOR_EACH", "name": "Each one", "config": {"items": "{{ [1] }}"}, "actions": steps[:3]}
    page.goto("/workflows/new")
    page.locator("textarea.code").fill(
        json.dumps({"name": "Long", "trigger": {"type": "manual"}, "actions": [*steps, loop]})
    )
    page.locator("form.editor button.primary").click()
    page.wait_for_url(re.compile("/workflows/[0-9a-f-]{36}"))
    page.goto(f"{page.url.partition('?')[0]}/build")
    page.keyboard.press("/")
    page.keyboard.type("n-2")
    expect(page.locator("#find output")).to_contain_text("1 of 2")
    page.keyboard.press("Enter")
    expect(page.locator("#find output")).to_contain_text("2 of 2")
    expect(page.locator('.node[data-at="/actions/12/actions/2"] > .box')).to_be_in_viewport()
    assert grave_violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator('#flow [data-open="/actions/12/actions/2"]')).to_be_focused()
    outline = page.get_by_role("navigation", name="Outline")
    outline.get_by_role("link", name="Each one").focus()
    page.keyboard.press("ArrowDown")
    expect(outline.locator('[data-open="/actions/12/actions/0"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('.node[data-at="/actions/12/actions/0"]')).to_have_class(re.compile("opened"))
