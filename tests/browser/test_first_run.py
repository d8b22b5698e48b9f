"""From nothing to a workflow that ran, in a browser, on a desk and on a phone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.gate import Gate
from tests.browser.watched import SIZES, Windows


@pytest.mark.parametrize("size", SIZES)
def test_a_webhook_call_is_seen_to_complete_live(
    windows: Windows, register: Callable[[Page], str], gate: Gate, size: str
) -> None:
    page = windows.open(size)
    register(page)
    write_workflow(page, gate)
    answer = requests.post(page.locator("[data-webhook-url] pre").inner_text(), json={"name": "Ada"}, timeout=10)
    assert answer.status_code == 200
    page.get_by_role("link", name="Executions", exact=True).click()
    page.locator("tbody a.main").first.click()
    page.evaluate("window.sameDocument = true")
    expect(page.locator(".step[data-state=RUNNING]")).to_be_visible()
    gate.open()
    expect(page.locator(".step[data-state=SUCCEEDED]")).to_have_count(2)
    expect(page.get_by_role("status").get_by_text("Completed")).to_be_visible()
    expect(page.locator(".step").last).to_contain_text("Hello Ada, it is true")
    assert page.evaluate("window.sameDocument") is True, "the page was loaded again"


def write_workflow(page: Page, gate: Gate) -> None:
    """Two steps, of which the first waits at the gate."""
    definition = {
        "name": "Greet through the gate",
        "trigger": {"type": "webhook"},
        "actions": [
            {"id": "wait", "type": "HTTP_REQUEST", "config": {"url": gate.url}},
            {
                "id": "greet",
                "type": "TRANSFORM",
                "config": {"output": {"text": "Hello {{ trigger.body.name }}, it is {{ steps.wait.body.through }}"}},
            },
        ],
    }
    page.goto("/workflows/new")
    page.get_by_label("Definition (JSON)").fill(json.dumps(definition))
    page.get_by_role("button", name="Create workflow").click()
