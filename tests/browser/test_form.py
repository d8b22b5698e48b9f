"""A form is built while its preview follows, published, and filled in by somebody without script, on any screen."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from flowforge.triggers.kinds.form import KIND
from tests.browser.test_builder import Builder
from tests.browser.watched import SIZES, Windows, grave_violations
from tests.waiting import eventually
from webapp.intake.form_guards import FASTEST_SECONDS


def build(page: Page) -> None:
    """A form with a name and a choice, each field added by the button."""
    builder = Builder(page)
    page.get_by_text(KIND.help).click()
    panel, preview = page.locator("#panel"), page.locator(".trigger-preview")
    panel.get_by_label("Title").fill("Dinner")
    builder.saved()
    expect(preview).to_contain_text("Dinner")
    for number, (label, type_) in enumerate((("Your name", ""), ("Meal", "choice"))):
        panel.get_by_role("button", name="Add field").click()
        record = panel.locator("details.record").nth(number)
        expect(record).to_have_attribute("open", "")
        record.get_by_label("Label").fill(label)
        record.get_by_label("Type").select_option(type_)
        record.get_by_label("Required", exact=True).select_option("Yes")
        if type_:
            record.get_by_label("Choices").fill("Soup\nSalad")
        builder.saved()
        expect(preview).to_contain_text(label)
    panel.get_by_role("button", name="Move up: Field 2").click()
    expect(preview.locator("label").first).to_have_text("Meal")


def publish(page: Page) -> str:
    """The path of the form."""
    page.locator("#bar summary", has_text="Publish").click()
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_text("is published")).to_be_visible()
    page.locator(".trigger-node a").click()
    return urlsplit(page.locator("[data-webhook-url] pre").inner_text()).path


def fill_in(visitor: Page, path: str) -> None:
    """With a mistake at first, of which the browser itself does not warn."""
    visitor.goto(path)
    assert grave_violations(visitor) == []
    visitor.get_by_label("Your name").fill("Ada")
    visitor.evaluate("document.forms[0].noValidate = true")
    visitor.get_by_role("button", name="Send").click()
    expect(visitor.get_by_role("alert")).to_contain_text("Meal is required")
    expect(visitor.get_by_label("Meal")).to_be_focused()
    expect(visitor.get_by_label("Your name")).to_have_value("Ada")
    assert grave_violations(visitor) == []
    assert visitor.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.get_by_label("Meal").select_option("Soup")
    time.sleep(FASTEST_SECONDS)
    visitor.get_by_role("button", name="Send").click()
    expect(visitor.get_by_role("status")).to_contain_text("Thank you")
    assert grave_violations(visitor) == []


def completed(page: Page) -> int:
    """How many executions have."""
    page.goto("/executions?status=COMPLETED")
    return page.locator("tbody tr").count()


def test_a_form_is_built_and_filled_in(windows: Windows, register: Callable[[Page], str]) -> None:
    page = windows.open()
    register(page)
    build(page)
    assert grave_violations(page) == []
    path = publish(page)
    for size, scheme in itertools.product(SIZES, ("light", "dark")):
        fill_in(windows.open(size, scheme), path)
    windows.forgive("/forms/")  # the mistakes are answered with 422
    eventually(lambda: completed(page) == len(SIZES) * 2, every=0.5)


def test_a_form_needs_no_script(windows: Windows, register: Callable[[Page], str]) -> None:
    page = windows.open()
    register(page)
    build(page)
    path = publish(page)
    visitor = windows.open("phone", javascript=False)
    visitor.goto(path)
    visitor.get_by_label("Your name").fill("Ada")
    visitor.get_by_label("Meal").select_option("Salad")
    time.sleep(FASTEST_SECONDS)
    visitor.get_by_role("button", name="Send").click()
    expect(visitor.get_by_role("status")).to_contain_text("Thank you")
