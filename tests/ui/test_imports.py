"""Import of n8n's workflows in the browser: the report first, then drafts."""

from __future__ import annotations

import html
import re
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from flowforge import jsonio
from tests.n8n.graphs import CALLED, graph, node, sets
from tests.ui.conftest import Browser

PAGE = "/workflows/import"
TICKETS = {"resource": "ticket", "operation": "getAll"}
WRITTEN = graph(
    [CALLED, sets("A", x="={{ $json.body.x }}"), node("<b>Odd</b>", "noSuchThing")],
    "Call > A",
    "A > <b>Odd</b>",
    pinData={"Call": [{"json": {"body": {"x": 7}, "query": {}}}]},
)


def _upload(browser: Browser, data: bytes, language: str = "en") -> TestResponse:
    form: dict[str, Any] = {"csrf_token": browser.token(PAGE), "file": (BytesIO(data), "flow.json")}
    return browser.client.post(PAGE, data=form, headers={"Accept": "text/html", "Accept-Language": language})


def test_the_report_is_shown_before_anything_is_made(ada: Browser) -> None:
    shown = _upload(ada, jsonio.dumps(WRITTEN))
    assert shown.status_code == 200
    assert "there is no counterpart of n8n-nodes-base.noSuchThing" in shown.text
    assert "&lt;b&gt;Odd&lt;/b&gt;" in shown.text
    assert "<b>Odd" not in shown.text
    assert "Example" not in ada.get("/workflows").text


def test_the_report_is_said_in_the_readers_language(ada: Browser) -> None:
    """What is in code, what a table of a service notes, and a sentence within a sentence."""
    nodes = [CALLED, node("Odd", "noSuchThing"), node("Ask", "httpRequest"), node("Tell", "zammad", TICKETS)]
    shown = _upload(ada, jsonio.dumps(graph(nodes, "Call > Odd", "Odd > Ask", "Ask > Tell")), "de").text
    assert "für n8n-nodes-base.noSuchThing gibt es keine Entsprechung" in shown
    assert "tragen Sie die Adresse des Zammad-Servers ein" in shown
    assert "in der Datei fehlt: die URL (bitte ergänzen)" in shown


def test_what_was_shown_is_created_as_a_draft_with_its_sample(ada: Browser) -> None:
    shown = _upload(ada, jsonio.dumps(WRITTEN)).text
    found = re.search(r'name="content" value="([^"]*)"', shown)
    assert found is not None
    made = ada.send(PAGE, PAGE, content=html.unescape(found[1]), create="yes")
    assert made.status_code == 303
    builder = ada.get(made.headers["Location"]).text
    assert "Missing: &lt;b&gt;Odd&lt;/b&gt;" in builder


@pytest.mark.parametrize(
    ("data", "reason"), [(b"{", "is not JSON"), (b"", "is required"), (b" " * 2_000_001, "more than 2,000,000 bytes")]
)
def test_a_file_that_cannot_be_used_is_refused_at_its_field(ada: Browser, data: bytes, reason: str) -> None:
    answer = _upload(ada, data)
    assert answer.status_code == 400
    assert reason in answer.text
