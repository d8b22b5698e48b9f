"""Writing expressions in the fields of a step."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.test_builder import Builder, builder
from tests.browser.watched import grave_violations

__all__ = ["builder"]


def test_what_can_be_named_is_offered_while_it_is_typed(builder: Builder) -> None:
    page = builder.page
    builder.add("slack")
    message = page.get_by_role("textbox", name="Message")
    offered = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    message.press_sequentially("Hi {{tr")
    expect(offered).to_have_text(["trigger"])
    message.press("Enter")
    message.press_sequentially(".head")
    message.press("Enter")
    message.press_sequentially(".")
    expect(offered).to_contain_text(["content-type"])
    assert grave_violations(page) == []
    message.press("ArrowDown")
    message.press("Enter")
    expect(message).to_have_value('Hi {{ trigger.headers["content-type"] }}')
    message.press_sequentially(" | tru")
    expect(offered.first).to_contain_text("(length=255, end='…')")
    expect(page.get_by_text("At most so many characters")).to_be_visible()
    message.press("Escape")
    expect(offered).to_have_count(0)
    message.press("Tab")
    expect(message).not_to_be_focused()


def test_braces_close_themselves_and_what_is_wrong_is_marked(builder: Builder) -> None:
    page = builder.page
    builder.add("slack")
    message = page.get_by_role("textbox", name="Message")
    message.press_sequentially("Hi {{ {'a': 1}.a }} of {{ 'x' | uper }}")
    expect(message).to_have_value("Hi {{ {'a': 1}.a }} of {{ 'x' | uper }}")
    expect(page.locator("[data-marks~=problem]")).to_have_text("uper")
    message.press("End")
    expect(page.locator("[data-marks~=bracket]")).to_have_text(["{", "}"])
