"""A workflow of 200 steps, built further by the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from bench.product import Product
from tests.browser.conftest import PASSWORD
from tests.browser.watched import Windows

MARK_CARDS = "for (const card of document.querySelectorAll('#flow .node > .box')) card.wasThere = true"
COUNT_MARKED = "[...document.querySelectorAll('#flow .node[data-at] > .box')].filter((card) => card.wasThere).length"


def step(number: int) -> dict[str, object]:
    return {"type": "TRANSFORM", "name": f"Step {number}", "config": {"output": {"number": f"n-{number}"}}}


LONG = {
    "name": "Long",
    "trigger": {"type": "manual"},
    "actions": [
        *(step(number) for number in range(100)),
        {
            "type": "FOR_EACH",
            "name": "Each one",
            "config": {"items": "{{ [1] }}"},
            "actions": [step(number) for number in range(100, 150)],
        },
        *(step(number) for number in range(150, 199)),
    ],
}


class Keyboard:
    """Somebody without a mouse, in the builder."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def edit(self, *keys: str) -> None:
        """Presses keys of which the last one makes an edit, and waits until it is drawn."""
        self.press(*keys[:-1])
        drawing = self.page.locator("[data-revision]")
        before = drawing.get_attribute("data-revision")
        self.press(keys[-1])
        expect(drawing).not_to_have_attribute("data-revision", before or "")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def find(self, words: str) -> None:
        self.press("/")
        self.type(words)
        expect(self.page.locator("#find output")).to_contain_text("1 of")
        self.press("Escape")

    def command(self, words: str, chosen: str) -> None:
        self.press("Control+k")
        self.type(words)
        expect(self.page.get_by_role("option", selected=True).locator("strong")).to_have_text(chosen)
        self.press("Enter")

    def tab_to(self, target: Locator) -> None:
        for _ in range(20):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.press("Tab")
        expect(target).to_be_focused()

    def is_on(self, title: str, at: str) -> None:
        card = self.page.locator(f'#flow [data-open="{at}"]')
        expect(card.locator("strong")).to_have_text(title)
        expect(card).to_be_focused()

    def counts(self, steps: int) -> None:
        expect(self.page.locator("#flow .node[data-at]")).to_have_count(steps)


@pytest.fixture
def keyboard(windows: Windows, register: Callable[[Page], str], product: Product) -> Keyboard:
    page = windows.open()
    page.set_viewport_size({"width": 1680, "height": 900})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    account = {"username": register(page), "password": PASSWORD}
    signed_in = requests.post(f"{product.url}/auth/login", json=account, timeout=30).json()
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    made = requests.post(f"{product.url}/api/v1/workflows", json=LONG, headers=headers, timeout=30).json()
    page.goto(f"/workflows/{made['id']}/build")
    return Keyboard(page)


def test_it_is_found_edited_moved_copied_tested_and_published(keyboard: Keyboard) -> None:
    page = keyboard.page
    keyboard.counts(200)
    keyboard.find("n-98")
    keyboard.is_on("Step 98", "/actions/98")
    keyboard.press("Enter")
    expect(page.get_by_label("Output, name 1")).to_be_focused()
    keyboard.press("End")
    keyboard.type("s")
    keyboard.press("Escape")
    expect(page.locator('#flow [data-open="/actions/98"] .summary')).to_contain_text("numbers")

    keyboard.press("+")
    keyboard.type("transform")
    keyboard.edit("Enter")
    expect(page.get_by_label("Output, name 1")).to_be_focused()
    keyboard.type("total")
    keyboard.press("Tab")
    keyboard.type("7")
    keyboard.press("Escape")
    keyboard.is_on("Transform", "/actions/99")
    expect(page.locator('#flow [data-open="/actions/99"] .badge')).to_have_count(0)
    keyboard.counts(201)

    keyboard.press("ArrowUp")
    keyboard.is_on("Step 98", "/actions/98")
    keyboard.press("ArrowDown", "ArrowDown", "ArrowDown")
    keyboard.is_on("Each one", "/actions/101")
    keyboard.press("ArrowLeft", "ArrowDown")
    keyboard.is_on("Step 150", "/actions/102")
    keyboard.edit("Alt+ArrowRight")
    keyboard.is_on("Step 150", "/actions/101/actions/50")
    keyboard.edit("Alt+ArrowLeft")
    keyboard.is_on("Step 150", "/actions/102")
    keyboard.edit("Alt+ArrowDown")
    keyboard.is_on("Step 150", "/actions/103")
    keyboard.edit("Control+z")
    keyboard.is_on("Step 150", "/actions/102")

    keyboard.press("Shift+ArrowDown", "Shift+ArrowDown", "Control+c")
    expect(page.get_by_text("Copied.")).to_be_visible()
    keyboard.edit("Control+v")
    keyboard.counts(204)
    keyboard.edit("Control+x")
    keyboard.counts(201)
    keyboard.edit("Control+z")
    keyboard.counts(204)
    keyboard.edit("Control+Shift+z")
    keyboard.counts(201)

    keyboard.command("Step 3", "Step 3")
    expect(page.locator('.node[data-at="/actions/3"]')).to_have_class(re.compile("opened"))
    for part in ("#step-data", ".bar", "#bar", "#outline", "#flow"):
        keyboard.press("F6")
        expect(page.locator(f"{part} :focus")).to_have_count(1)
    keyboard.press("Shift+F6", "ArrowDown", "Enter")
    expect(page.locator('.node[data-at="/actions/4"]')).to_have_class(re.compile("opened"))

    keyboard.command("test", "Test")
    expect(page.locator('.node[data-at="/actions/0"] .run-mark')).to_contain_text("Succeeded")
    keyboard.command("publish", "Publish")
    keyboard.tab_to(page.get_by_role("button", name="Publish now"))
    keyboard.press("Enter")
    expect(page.get_by_text("“Long” is published")).to_be_visible()


def test_cards_stay_the_elements_that_they_are(keyboard: Keyboard) -> None:
    """Steps without an id, as here, are called by their index, which changes when one before them goes."""
    page = keyboard.page
    keyboard.find("n-3")
    page.evaluate(MARK_CARDS)
    keyboard.edit("Delete")
    keyboard.counts(199)
    assert page.evaluate(COUNT_MARKED) == 199
    keyboard.edit("Alt+ArrowDown")
    assert page.evaluate(COUNT_MARKED) == 199
    keyboard.edit("Control+z")
    keyboard.edit("Control+z")
    keyboard.counts(200)
    assert page.evaluate(COUNT_MARKED) == 199
