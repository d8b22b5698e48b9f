"""The builder's panel: how wide it is, and what of a step it shows."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_builder import Builder
from tests.browser.watched import Windows

Register = Callable[[Page], str]


def width(panel: Locator) -> float:
    box = panel.bounding_box()
    assert box
    return box["width"]


def test_the_panel_is_widened_by_keyboard_until_the_data_stand_beside_the_form(
    windows: Windows, register: Register
) -> None:
    page = windows.open()
    register(page)
    Builder(page).add("slack")
    panel, handle = page.locator("#panel"), page.get_by_role("separator", name="Panel width")
    expect(page.locator("#step-data")).to_be_hidden()
    narrow = width(panel)
    handle.press("End")
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    expect(page.locator("#step-data")).to_be_visible()
    expect(page.get_by_role("tab", name="Data")).to_be_hidden()
    wide = width(panel)
    assert wide > narrow
    handle.press("ArrowRight")
    assert narrow < width(panel) < wide
    chosen = width(panel)
    page.reload()
    expect(handle).to_have_attribute("aria-valuenow", str(round(chosen)))
    assert width(panel) == chosen


def test_the_tabs_of_a_step_are_chosen_by_keyboard(windows: Windows, register: Register) -> None:
    page = windows.open("phone")
    register(page)
    builder = Builder(page)
    builder.add("slack")
    expect(page.get_by_role("tab", name="Parameters", selected=True)).to_be_visible()
    page.get_by_role("tab", name="Parameters").press("ArrowLeft")
    expect(page.get_by_role("tab", name="Output", selected=True)).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Output")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_be_hidden()
    page.get_by_label("Close this step").click()
    builder.card("/actions/0").locator(".open").click()
    expect(page.get_by_role("tabpanel", name="Output")).to_be_visible()
