"""Pages in states that test_all_pages.py does not show: empty, filtered, before signing in, after a success."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from bench.product import Product
from tests.browser.gate import Gate
from tests.browser.test_first_run import write_workflow
from tests.browser.watched import Windows, examine
from tests.people import PASSWORD

STATES = (
    "/?last=7d",
    "/workflows?q=nothing",
    "/workflows?sort=name",
    "/workflows/deleted",
    "/templates/tell-slack",
    "/executions",
    "/executions?status=FAILED",
    "/connections",
    "/connections/new?type=smtp",
    "/connections/new?preset=google",
    "/variables",
    "/tables",
    "/failed-messages",
    "/settings/tokens",
    "/audit-log?action=secret.set",
    "/nowhere",
)
BEFORE_SIGNING_IN = ("/sign-in", "/sign-in?ended=1", "/register", "/password-resets")


@pytest.mark.timeout(600)
def test_pages_are_accessible_and_fit_whatever_is_on_them(
    windows: Windows, register: Callable[[Page], str], gate: Gate
) -> None:
    page = windows.open()
    for path in BEFORE_SIGNING_IN:
        examine(page, path)
    register(page)
    for path in ("/workflows", "/"):  # with nothing on them
        examine(page, path)
    execution = something_happens(page, gate)
    page.goto("/settings/tokens")
    page.get_by_label("Name").fill("Deploy script")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create token").click()
    examine(page)
    workflow = page.context.pages[0].evaluate("sessionStorage.workflow")
    table = table_with_a_row(page)
    of_workflow = ("", "/edit", "/build", "/build?step=/actions/0", "/build/text", "/versions")
    of_execution = (execution, f"{execution}?log=nothing")
    of_table = (table, f"{table}/columns")
    for path in (*STATES, *(workflow + each for each in of_workflow), *of_execution, *of_table):
        examine(page, path)
    windows.forgive("/nowhere")


def table_with_a_row(page: Page) -> str:
    """Makes one with a key. Returns its path."""
    page.goto("/tables/new")
    page.get_by_label("Name", exact=True).fill("orders")
    page.get_by_label("Name of column 1").fill("number")
    page.get_by_label("column 1 is the key").check()
    page.get_by_role("button", name="Create table").click()
    path: str = page.evaluate("location.pathname")
    page.get_by_role("link", name="Add a row").click()
    page.get_by_label("number").fill("A-1")
    page.get_by_role("button", name="Add").click()
    return path


def something_happens(page: Page, gate: Gate) -> str:
    """A schedule and a webhook's workflow, which ran once and failed once. Returns the path of an execution."""
    page.goto("/templates/watch-address")
    page.get_by_role("button", name="Create workflow").click()
    write_workflow(page, gate)
    page.evaluate("sessionStorage.workflow = location.pathname")
    workflow = page.url
    gate.open()
    run(page, '{"body": {"name": "Ada"}}', "Completed")
    page.goto(workflow)
    run(page, "{}", "Failed")
    return page.url.partition("?")[0]


def run(page: Page, payload: str, outcome: str) -> None:
    page.get_by_label("Payload (a JSON object)").fill(payload)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("status").get_by_text(outcome)).to_be_visible()


def test_the_chart_is_drawn_and_its_figures_stand_below(windows: Windows, register: Callable[[Page], str]) -> None:
    page = windows.open()
    register(page)
    page.goto("/templates?q=greet")
    page.get_by_role("button", name="Use template").click()
    page.goto("/")
    expect(page.locator("figure canvas")).to_be_visible()
    page.get_by_text("Show as table").click()
    expect(page.get_by_text("No executions in this period.")).to_be_visible()


def test_a_webhook_url_is_copied_with_one_click(
    windows: Windows, register: Callable[[Page], str], product: Product
) -> None:
    page = windows.open()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=product.url)
    register(page)
    page.goto("/templates?q=greet")
    page.get_by_role("button", name="Use template").click()
    page.get_by_role("button", name="Copy URL").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert re.fullmatch(r"http://[^/]+/webhook/[0-9a-f-]{36}", page.evaluate("navigator.clipboard.readText()"))


def test_the_first_tab_leads_past_the_navigation(windows: Windows, register: Callable[[Page], str]) -> None:
    page = windows.open()
    register(page)
    page.goto("/workflows")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_without_script_a_workflow_is_made_and_run_all_the_same(
    windows: Windows, register: Callable[[Page], str]
) -> None:
    page = windows.open(javascript=False)
    register(page)
    page.goto("/workflows")
    page.get_by_role("button", name="Use template").click()
    expect(page.get_by_text("created and enabled")).to_be_visible()
    page.get_by_label("Payload (a JSON object)").fill('{"body": {"name": "Ada"}, "method": "POST"}')
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()  # the page asks again by itself
    page.goto("/workflows")
    page.get_by_role("switch").click()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")


def test_an_expired_session_leads_back_to_where_one_was(windows: Windows, register: Callable[[Page], str]) -> None:
    page = windows.open()
    name = register(page)
    page.goto("/workflows")
    cookies = [cookie for cookie in page.context.cookies() if not cookie["name"].startswith("flowforge_")]
    page.context.clear_cookies()
    page.context.add_cookies(cookies)
    page.goto("/executions?status=FAILED")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/executions\?status=FAILED$"))


def test_german_labels_stand_apart_on_a_phone(windows: Windows) -> None:
    page = windows.open("phone")
    page.set_extra_http_headers({"Accept-Language": "de"})
    page.goto("/register")
    page.get_by_label("Benutzername").fill("anna-katharina.von-und-zu-hohenstein")
    page.get_by_label("E-Mail").fill("anna@example.test")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Konto erstellen").click()
    page.wait_for_url("**/")
    assert [len(lines) for lines in page.evaluate(_LINES, ".brand")] == [1], "the name of the product is broken"
    tabs = page.evaluate(_LINES, ".bar nav li:not(.aside) a")
    assert {len(lines) for lines in tabs} == {1}, "a label is broken"
    for [(_, end)], [(start, _)] in itertools.pairwise(tabs):
        assert start - end >= 8, "two labels are glued together"


_LINES = """selector => [...document.querySelectorAll(selector)].map((element) => {
    const range = document.createRange();
    range.selectNode([...element.childNodes].findLast((node) => node.data?.trim()));
    return [...range.getClientRects()].filter(({ width }) => width > 1).map(({ left, right }) => [left, right]);
})"""
"""The lines of text in each element, as their left and right ends."""
