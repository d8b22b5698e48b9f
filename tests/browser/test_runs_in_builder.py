"""Runs in the builder: the cards tell how far it got while it goes on, and its data are built on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.gate import Gate
from tests.browser.test_watching import create
from tests.browser.watched import SIZES, Windows, grave_violations

Register = Callable[[Page], str]


def build(page: Page, gate: Gate) -> None:
    """Opens the builder of a workflow whose first step waits at the gate."""
    told = {"id": "tell", "type": "TRANSFORM", "config": {"output": {"text": "it is {{ steps.wait.body.through }}"}}}
    waiting = {"id": "wait", "type": "HTTP_REQUEST", "config": {"url": gate.url}}
    create(page, {"name": "Through the gate", "trigger": {"type": "manual"}, "actions": [waiting, told]})
    page.wait_for_url(re.compile(r"/workflows/[0-9a-f-]{36}$"))
    page.goto(f"{page.url}/build")


def state_of(page: Page, at: str, state: str) -> None:
    expect(page.locator(f'.node[data-at="{at}"]')).to_have_attribute("data-run", state)


@pytest.mark.parametrize("size", SIZES)
def test_the_cards_tell_how_far_a_test_got_while_it_goes_on(
    windows: Windows, register: Register, gate: Gate, size: str
) -> None:
    page = windows.open(size)
    register(page)
    build(page, gate)
    building = page.url
    page.get_by_role("button", name="Test", exact=True).click()
    state_of(page, "/actions/0", "RUNNING")
    gate.open()
    state_of(page, "/actions/1", "SUCCEEDED")
    expect(page.locator("#run").get_by_text("Completed")).to_be_visible()
    assert page.url == building
    page.locator('[data-open="/actions/1"]').first.click()
    page.get_by_role("tab", name="Output").click()
    shown = page.locator("#run-result")
    shown.get_by_text("JSON", exact=True).click()
    expect(shown.locator("pre").first).to_contain_text("it is true")
    assert grave_violations(page) == []
    page.reload()
    state_of(page, "/actions/1", "SUCCEEDED")
    page.locator('[data-open="/actions/0"]').first.focus()
    page.keyboard.press("Delete")
    expect(page.locator("#run")).to_contain_text("that are gone")
    state_of(page, "/actions/0", "SUCCEEDED")  # the second step, which keeps its mark where it stands now
    page.get_by_role("button", name="Close this run").click()
    expect(page.locator(".node[data-run]")).to_have_count(0)


def test_a_server_that_was_away_is_told_until_it_is_back(windows: Windows, register: Register, gate: Gate) -> None:
    page = windows.open()
    register(page)
    build(page, gate)
    page.get_by_role("button", name="Test", exact=True).click()
    state_of(page, "/actions/0", "RUNNING")
    page.context.set_offline(True)
    page.locator('[data-open="/actions/1"]').first.click()
    refusal = page.locator("#refusal")
    expect(refusal).to_have_text("The server does not answer.")
    page.context.set_offline(False)
    gate.open()
    state_of(page, "/actions/1", "SUCCEEDED")
    expect(refusal).to_be_hidden()
    windows.forgive("ERR_INTERNET_DISCONNECTED")


def test_an_output_of_a_run_that_is_chosen_goes_into_a_field(windows: Windows, register: Register, gate: Gate) -> None:
    gate.open()
    page = windows.open()
    register(page)
    build(page, gate)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#run").get_by_text("Completed")).to_be_visible()
    page.get_by_role("button", name="Close this run").click()
    page.get_by_role("link", name="Runs", exact=True).click()
    page.locator("#runs [data-show-run]").click()
    expect(page.locator("#runs")).to_be_hidden()
    page.get_by_role("button", name="Use this run's data").click()
    page.locator('[data-open="/actions/1"]').first.click()
    expect(page.get_by_text("Data of the run of")).to_be_attached()
    page.get_by_role("tab", name="Parameters").click()
    field = page.locator("#step-parameters [data-expression]:visible").first
    field.fill("")
    field.focus()
    page.get_by_role("tab", name="Data").click()
    page.get_by_title("steps.wait.status", exact=True).click()
    expect(field).to_have_value("{{ steps.wait.status }}")
