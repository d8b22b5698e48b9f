"""Finding steps in the builder."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import quote

from sqlalchemy import Engine

from flowforge.jsonio import JsonObject
from tests.statements import counting_statements
from tests.ui.conftest import Browser
from tests.ui.test_pages import created

TALKATIVE: JsonObject = {
    "name": "Orders",
    "trigger": {"type": "webhook"},
    "actions": [
        {
            "id": "fetch",
            "type": "HTTP_REQUEST",
            "config": {"url": "https://shop.test/orders?of=today", "method": "GET"},
        },
        {"id": "shape", "type": "TRANSFORM", "name": "Sum <up>", "config": {"output": {"total": "{{ 1 + 1 }}"}}},
    ],
}
SECRET = "xoxb-never-to-be-found"


def found(browser: Browser, workflow: str, wanted: str) -> dict[str, str]:
    """What was found in each step."""
    answer = browser.get(f"{workflow}/build/find?q={quote(wanted)}")
    assert answer.status_code == 200
    return {at: unescape(text) for at, text in re.findall(r'<li data-at="([^"]+)">(.*?)</li>', answer.text)}


def test_a_step_is_found_and_told_where(ada: Browser) -> None:
    workflow = created(ada, TALKATIVE)
    assert found(ada, workflow, "TODAY") == {"/actions/0": "URL: https://shop.test/orders?of=today"}
    assert found(ada, workflow, "sum <") == {"/actions/1": "Name: Sum <up>"}
    assert found(ada, workflow, "Transform") == {"/actions/1": "Type: Transform"}
    assert found(ada, workflow, "webhook") == {"trigger": "Type: Webhook"}
    assert not found(ada, workflow, "nowhere")
    assert not found(ada, workflow, "  ")


def test_a_secret_is_never_found(ada: Browser) -> None:
    slack = {
        "id": "tell",
        "type": "SLACK_MESSAGE",
        "config": {"botToken": SECRET, "channel": "#ops", "message": "Done"},
    }
    workflow = created(ada, {**TALKATIVE, "actions": [slack]})
    assert found(ada, workflow, "#ops")
    for part in (SECRET, SECRET[:6], "********"):
        assert not found(ada, workflow, part)


def test_the_draft_is_searched_not_what_is_published(ada: Browser) -> None:
    workflow = created(ada, TALKATIVE)
    ada.send(f"{workflow}/build/edit", f"{workflow}/build", op="delete", at="/actions/0", revision="0")
    assert not found(ada, workflow, "today")


def test_a_stranger_finds_nothing(ada: Browser, signed_up: Callable[[str], Browser]) -> None:
    assert signed_up("bob").get(f"{created(ada, TALKATIVE)}/build/find?q=today").status_code == 404


def test_its_cost_is_that_of_the_draft_whatever_is_found(ada: Browser, engine: Engine) -> None:
    steps = [{"type": "TRANSFORM", "name": f"Step {number}", "config": {"output": {}}} for number in range(200)]
    workflow = created(ada, {**TALKATIVE, "actions": steps})
    counts = []
    for wanted in ("nowhere", "step"):
        with counting_statements(engine) as statements:
            found(ada, workflow, wanted)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6
    assert len(found(ada, workflow, "step")) == 200
