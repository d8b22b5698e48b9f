"""Somebody who has never seen FlowForge is led from an empty account to a workflow that has done something."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.watched import SIZES, Windows, grave_violations


@pytest.mark.parametrize("size", SIZES)
def test_the_guide_leads_to_the_first_workflow_that_runs(
    windows: Windows, register: Callable[[Page], str], size: str
) -> None:
    page = windows.open(size)
    register(page)
    page.goto("/")
    page.get_by_role("button", name="Start the guide").click()
    expect_next(page, "Send a test request")
    assert grave_violations(page) == []
    page.get_by_role("button", name="Use an example").click()
    expect_next(page, "Add a condition")
    page.locator("#guide").get_by_role("link", name="Add a step").click()
    page.keyboard.type("branch")
    page.keyboard.press("Enter")
    page.get_by_label("Value", exact=True).fill("trigger.body.total")
    page.get_by_label("Operator").select_option(label="is greater than")
    page.get_by_label("Compare with").fill("100")
    expect_next(page, "Choose what happens")
    page.locator("#guide").get_by_role("link", name="Add a step to the branch").click()
    page.keyboard.type("transform")
    page.keyboard.press("Enter")
    page.get_by_label("Output, name 1").fill("text")
    page.get_by_label("Output, value 1").fill("{{ trigger.body.customer }} spends {{ trigger.body.total }}")
    expect_next(page, "Test it")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
    expect(page.locator("#run-result")).to_contain_text("Ada spends 240")
    expect_next(page, "Publish it")
    page.locator("#bar summary", has_text="Publish").click()
    page.get_by_role("button", name="Publish now").click()
    expect_next(page, "Call the webhook URL")
    page.locator(".trigger-node a").click()
    url = page.locator("[data-webhook-url] pre").inner_text()
    assert requests.post(url, json={"customer": "Grace", "total": 500}, timeout=10).status_code == 200
    heading = page.get_by_role("heading", name="Your first workflow is running")
    expect(heading).to_be_visible()  # the page sees it by itself
    page.locator("#guide").get_by_role("button", name="Done").click()
    expect(page.get_by_text("Guide ended")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("button", name=re.compile("Start the guide|Continue"))).to_have_count(0)


def expect_next(page: Page, title: str) -> None:
    expect(page.locator(".guide-steps [aria-current=step]")).to_have_text(title)


def test_it_works_without_script(windows: Windows, register: Callable[[Page], str]) -> None:
    page = windows.open(javascript=False)
    register(page)
    page.goto("/workflows")
    page.get_by_role("button", name="Start the guide").click()
    page.get_by_role("button", name="Use an example").click()
    page.locator("#guide").get_by_role("link", name="Add a step").click()
    page.get_by_role("button", name=re.compile("^Branch")).click()
    page.get_by_label("Value", exact=True).fill("trigger.body.total")
    page.get_by_label("Compare with").fill("240")
    page.get_by_role("button", name="Save").click()
    expect_next(page, "Choose what happens")
    page.get_by_role("button", name="End the guide").click()
    expect(page.get_by_text("Your workflow is kept")).to_be_visible()
