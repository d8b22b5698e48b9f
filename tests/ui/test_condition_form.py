"""Conditions in the builder's forms: rows and groups, or an expression."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import FLOW, Builder
from tests.ui.test_pages import created


@pytest.fixture
def orders(ada: Browser, app: Flask) -> Builder:
    return Builder(ada, app, created(ada, FLOW))


def posted_rows(list_: str, *rows: dict[str, str], **branch: str) -> dict[str, str]:
    """The fields that conditions have in a form, after those of their branch."""
    fields = {f"branch.0.{key}": value for key, value in branch.items()} | {f"{list_}.count": str(len(rows))}
    return fields | {f"{list_}.{n}.{key}": value for n, row in enumerate(rows) for key, value in row.items()}


def test_a_condition_is_put_together_from_fields(orders: Builder) -> None:
    row = {"left": "trigger.body.total", "operator": ">=", "right": "250"}
    orders.edit("", to="step", at="/actions/1", **posted_rows("branch.0.when", row, name="big"))
    [changed] = orders.definition["actions"][1]["branches"]
    assert (changed["name"], changed["when"]) == ("big", "{{ trigger.body.total >= 250 }}")


def test_a_condition_is_a_row_until_another_is_added_and_a_group(orders: Builder) -> None:
    row = {"left": "trigger.body.total", "operator": ">", "right": "100"}
    assert "branch.0.when.0.left" in orders.page("/actions/1")

    def press(button: str, *rows: dict[str, str], **more: str) -> None:
        fields = posted_rows("branch.0.when", *rows, name="big")
        orders.edit("", to="step", at="/actions/1", arrange=button, **fields, **more)

    press("add:branch.0.when", row)
    assert "branch.0.when.1.left" in orders.page("/actions/1")
    press(
        "group:branch.0.when", row, {"left": "trigger.body.vip", "operator": "true"}, **{"branch.0.when.match": "any"}
    )
    page = orders.page("/actions/1")
    assert "branch.0.when.2.1.left" in page
    assert "branch.0.when.2.2.left" not in page
    press("remove:branch.0.when:0", row, {"left": "trigger.body.vip", "operator": "true"})
    assert orders.definition["actions"][1]["branches"][0]["when"] == "{{ trigger.body.vip == true }}"


def test_a_condition_that_was_not_changed_stays_as_it_is_written(ada: Browser, app: Flask) -> None:
    when = "{{ (trigger.body.total)>100 }}"
    branch = {"name": "yes", "when": when, "actions": []}
    builder = Builder(ada, app, created(ada, {**FLOW, "actions": [{"type": "BRANCH", "branches": [branch]}]}))
    row = {"left": "(trigger.body.total)", "operator": ">", "right": "100"}
    builder.edit("", to="step", at="/actions/0", **posted_rows("branch.0.when", row, name="big"))
    assert builder.definition["actions"][0]["branches"][0]["when"] == when


def test_an_expression_takes_the_place_of_rows_and_back(orders: Builder) -> None:
    fields = posted_rows("branch.0.when", {"left": "trigger.body.total", "operator": ">", "right": "100"}, name="big")
    answer = orders.edit("", to="step", at="/actions/1", step="/actions/1", arrange="write:branch.0.when", **fields)
    page = orders.browser.get(answer.location).text
    assert re.search(r'<textarea[^>]*name="branch.0.when"[^>]*>\s*{{ trigger.body.total &gt; 100 }}', page)
    written = {
        "branch.0.name": "big",
        "branch.0.when": "{{ 1 < trigger.body.total < 9 }}",
        "branch.0.when.written": "yes",
    }
    orders.edit("", to="step", at="/actions/1", arrange="draw:branch.0.when", **written)
    page = orders.page("/actions/1")
    assert "cannot be shown as rows" in page
    assert "1 &lt; trigger.body.total &lt; 9" in page


def test_a_step_runs_only_if_its_conditions_hold(orders: Builder) -> None:
    step = {"to": "step", "at": "/actions/0", "config.url": "https://shop.example.test/orders"}
    assert "add:when" in orders.page("/actions/0")
    orders.edit("", **step, **posted_rows("when", {"left": "trigger.body.vip", "operator": "exists"}))
    assert orders.definition["actions"][0]["when"] == "{{ trigger.body.vip is defined }}"
    orders.edit("", **step, **posted_rows("when", {"left": "", "operator": "==", "right": ""}))
    assert "when" not in orders.definition["actions"][0]
