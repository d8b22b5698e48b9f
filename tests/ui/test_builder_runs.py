"""Runs in the builder: how far each step of the flow got, and what it did."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.db.tables import TriggerEventRow
from flowforge.triggers.kinds import sample_payload
from flowforge.wiring import Backends
from tests.engine.pipeline import working
from tests.statements import counting_statements
from tests.ui.conftest import Browser
from tests.ui.test_execution_page import BROKEN, ORDERS, transform
from tests.ui.test_pages import created
from tests.waiting import eventually

PART = {"X-Part": "yes", "Accept": "text/html"}


class Runs:
    """Somebody who runs a draft in the builder, as our script does."""

    def __init__(self, browser: Browser, backends: Backends, definition: dict[str, Any]) -> None:
        self.browser, self._backends = browser, backends
        self.build = f"{created(browser, definition)}/build"

    def start(self, to: str = "run", **fields: Any) -> Any:
        data = {"csrf_token": self.browser.token(self.build), **fields}
        return self.browser.client.post(f"{self.build}/{to}", data=data, headers=PART)

    def finished(self, payload: str = "{}", **fields: Any) -> str:
        """Test the draft with a sample; returns the path of the run."""
        self.browser.send(f"{self.build}/sample", self.build, sample=payload)
        return self.end(self.start(**fields))

    def end(self, started: Any) -> str:
        assert started.status_code == 200, started.text
        url = str(re.findall(r'data-url="([^"]+)"', started.text)[0])
        self.wait(url)
        return url.partition("?")[0]

    def wait(self, url: str) -> None:
        """Wait until the run is over."""
        with working(self._backends):
            eventually(lambda: 'data-over="true"' in self.browser.get(url).text)

    def page(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)


@pytest.fixture
def runs(ada: Browser, backends: Backends) -> Runs:
    return Runs(ada, backends, ORDERS)


def states(page: str) -> dict[str, str]:
    """By the step's id."""
    return dict(re.findall(r'<li data-step="([^"]+)" data-state="(\w+)"', page))


def test_a_test_stays_in_the_builder_and_marks_each_step(runs: Runs) -> None:
    started = runs.start()
    assert "data-awaited" in started.text
    shown = runs.page(runs.finished('{"orders": [1, 4, 0]}'))
    assert states(shown) == {
        "totals": "SUCCEEDED",
        "many": "SUCCEEDED",
        "yes": "SUCCEEDED",
        "no": "SKIPPED",
        "each": "SUCCEEDED",
        "share": "FAILED",
        "both": "SUCCEEDED",
        "l": "SUCCEEDED",
        "r": "HANDLED",
        "sorry": "SUCCEEDED",
    }
    assert ">3/3<" in shown
    assert " ms</span>" in shown


def test_without_script_a_test_leads_to_the_page_of_the_execution(runs: Runs) -> None:
    answer = runs.browser.send(f"{runs.build}/run", runs.build)
    assert (answer.status_code, answer.location.startswith("/executions/")) == (303, True)


def test_each_run_of_a_loop_can_be_chosen(runs: Runs) -> None:
    path = runs.finished('{"orders": [1, 4, 0]}')
    first = runs.page(f"{path}?round=4:0")
    assert states(first)["share"] == "SUCCEEDED"
    assert re.search(r'max="3"\s+value="1"', first)
    assert '"share": 25' in runs.page(f"{path}/result?step=share&round=4:1")
    assert "division by zero" in runs.page(f"{path}/result?step=share")
    assert states(runs.page(f"{path}?round=4:99&round=nonsense"))["share"] == "FAILED"  # the last one that there is


def test_what_a_step_was_given_and_gave_is_shown_beside_its_form(runs: Runs) -> None:
    path = runs.finished('{"orders": [1]}')
    shown = runs.page(f"{path}/result?step=totals")
    assert 'data-copy-text="steps.totals.count"' in shown
    assert "/input?step=0" in shown
    assert "/log?step=0" in shown
    assert 'data-copy-text="trigger.orders"' in runs.page(f"{path}/result?step=trigger")
    for id_ in ("yes", "none"):
        assert "did not run" in runs.page(f"{path}/result?step={id_}")


def test_the_items_that_a_step_gave_are_counted(ada: Browser, backends: Backends) -> None:
    rows = Runs(ada, backends, {"name": "Rows", "actions": [transform("rows", n=1, items=[{"a": 1}, {"a": 2}])]})
    assert "2 items" in rows.page(rows.finished())


def test_why_it_failed_stands_in_its_bar_and_at_its_step(ada: Browser, backends: Backends) -> None:
    broken = Runs(ada, backends, BROKEN)
    path = broken.finished()
    shown = broken.page(path)
    assert states(shown) == {"which": "SUCCEEDED", "transform": "FAILED"}
    assert "division by zero" in shown
    assert "division by zero" in broken.page(f"{path}/result?step=transform")


def test_a_webhook_without_a_sample_is_tested_with_the_example_of_its_form(ada: Browser, backends: Backends) -> None:
    called = Runs(ada, backends, {"name": "Hook", "trigger": {"type": "webhook"}, "actions": [transform("n", n=1)]})
    assert called.start().status_code == 200
    with Session(backends.engine) as session:
        [payload] = session.scalars(select(TriggerEventRow.payload))
    assert payload == sample_payload({"type": "webhook"})
    assert payload["body"]


def test_a_draft_that_cannot_run_says_so_in_place(runs: Runs) -> None:
    edited = runs.browser.send(
        f"{runs.build}/edit", runs.build, op="add", type="HTTP_REQUEST", into="/actions", position=0
    )
    assert edited.status_code == 303
    refused = runs.start()
    assert refused.status_code == 400
    assert 'data-part="refusal"' in refused.text


def test_other_peoples_runs_and_those_of_other_workflows_are_not_there(
    runs: Runs, signed_up: Callable[[str], Browser], app: Flask
) -> None:
    path = runs.finished()
    bob = signed_up("bob")
    for end in ("", "/result?step=totals"):
        assert bob.get(f"{path}{end}").status_code == 404
    other = created(runs.browser, BROKEN)
    assert runs.browser.get(f"{other}/build/runs/{path.rpartition('/')[2]}").status_code == 404


def test_looking_at_a_run_costs_the_same_however_many_items_its_loops_have(runs: Runs, backends: Backends) -> None:
    costs = []
    for orders in ([1], list(range(1, 41))):
        path = runs.finished(f'{{"orders": {orders}}}')
        with counting_statements(backends.engine) as sent:
            runs.page(path)
        costs.append(len(sent))
    assert costs[0] == costs[1] <= 25


def test_the_page_of_an_execution_leads_to_the_builder_that_shows_it(runs: Runs) -> None:
    path = runs.finished('{"orders": [1]}')
    page = runs.page(f"/executions/{path.rpartition('/')[2]}")
    links = re.findall(r'href="([^"]+/build\?run=[^"]+)"', page)
    assert links
    assert f'data-shown="{path}"' in runs.page(links[0])
