"""Writing code in the builder: the editor, its problems beside the line, and a run with the sample."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.test_builder import Builder
from tests.browser.watched import Windows, examine

Register = Callable[[Page], str]


def begun(windows: Windows, register: Register) -> Page:
    """A new step of code, opened."""
    page = windows.open()
    register(page)
    Builder(page).add("code")
    return page


def write(page: Page, text: str) -> None:
    """Types into the editor, in the place of what stands there."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


def choose(page: Page, completion: str) -> None:
    page.locator(".cm-tooltip-autocomplete li", has_text=completion).click()


def test_code_is_written_completed_and_run(windows: Windows, register: Register) -> None:
    page = begun(windows, register)
    page.get_by_placeholder("Name", exact=True).first.fill("price")
    page.get_by_placeholder("Value", exact=True).first.fill("20")
    write(page, "console.log('hi');\nreturn input.")
    page.keyboard.type("p")
    choose(page, "input.price")
    page.keyboard.type(" + filters.fl")
    choose(page, "filters.floor")
    page.keyboard.type("(1.5)")
    page.get_by_role("button", name="Test this step").click()
    expect(page.locator("#tried")).to_contain_text('"result": 21')
    expect(page.get_by_label("Log lines")).to_have_text("hi\n")
    page.reload()
    expect(page.locator(".cm-content")).to_contain_text("return input.price + filters.floor(1.5)")


def test_a_problem_stands_beside_its_line(windows: Windows, register: Register) -> None:
    page = begun(windows, register)
    write(page, "const a = 1;\nreturn a +;")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    expect(page.locator(".cm-lintRange-error")).to_have_text("return a +;")
    write(page, "return 1;")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(0)


def test_the_editor_is_accessible_and_fits(windows: Windows, register: Register) -> None:
    page = begun(windows, register)
    write(page, "const rows = input.rows ?? []; // all of them\nreturn rows.map((row) => `${row.name}: ${row.n * 2}`);")
    examine(page)


def test_without_script_code_is_written_into_a_text_area(windows: Windows, register: Register) -> None:
    page = windows.open(javascript=False)
    register(page)
    page.goto("/workflows")
    page.get_by_role("button", name="New workflow").first.click()
    page.get_by_label("Add a step here").click()
    page.locator("button", has_text="Runs JavaScript or Python").click()
    page.get_by_role("textbox", name="Code required").fill("return (")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#panel .wrong", has_text="line 1: SyntaxError")).to_be_visible()
