"""Variables: settings of the account in expressions, wherever these stand, as they are when they are computed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from flowforge.connections.variables import delete_variable, put_variable
from flowforge.errors import Conflict, Invalid
from flowforge.preview import expression_context
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.statements import counting_statements


def put(backends: Backends, **variables: Any) -> None:
    with Session(backends.engine) as session:
        for name, value in variables.items():
            put_variable(session, OWNER, name, value)


def show(expression: str, **parts: Any) -> dict[str, Any]:
    return {"type": "TRANSFORM", "config": {"output": {"it": f"{{{{ {expression} }}}}"}}, **parts}


def test_they_are_known_in_configs_conditions_and_loops(pipeline: Pipeline) -> None:
    put(pipeline.backends, shop={"url": "https://shop.test", "b": 10**20, "a": 1}, limit=100, names=["x", "y"])
    branches = [{"name": "big", "when": "{{ trigger.total > vars.limit }}", "actions": [show("'big'", id="big")]}]
    loop = {"type": "FOR_EACH", "id": "each", "config": {"items": "{{ vars.names }}"}, "actions": [show("item")]}
    made = pipeline.workflow(
        show("vars.shop", id="first"),
        {"type": "BRANCH", "config": {}, "branches": branches},
        loop,
        show("1", id="never", when="{{ vars.limit < 10 }}"),
        show("1", id="always", when="{{ vars.limit > 10 }}"),
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(made.id, {"total": 101}).event_id)
    assert done.status == "COMPLETED", done.error
    outputs = done.step_outputs
    assert outputs["step_0"]["it"] == {"url": "https://shop.test", "b": 10**20, "a": 1}
    assert outputs["step_2"] == {"it": "big"}
    assert [result["it"] for result in outputs["step_3"]["results"]] == ["x", "y"]
    assert "step_5" not in outputs
    assert outputs["step_6"] == {"it": 1}


def test_a_changed_value_counts_at_once(pipeline: Pipeline) -> None:
    put(pipeline.backends, rate=1)
    made = pipeline.workflow(show("vars.rate * 2"))
    with working(pipeline.backends):
        first = pipeline.finished(pipeline.accept(made.id).event_id)
        put(pipeline.backends, rate=5)
        second = pipeline.finished(pipeline.accept(made.id).event_id)
    assert [run.step_outputs["step_0"]["it"] for run in (first, second)] == [2, 10]


@pytest.mark.parametrize(
    "action",
    [
        show("vars.shop_ulr"),
        show("1", when="{{ vars.shop_ulr == 1 }}"),
        {"type": "FOR_EACH", "config": {"items": "{{ vars.shop_ulr }}"}, "actions": []},
    ],
)
def test_one_that_does_not_exist_is_refused_on_saving(pipeline: Pipeline, action: dict[str, Any]) -> None:
    put(pipeline.backends, shop_url="x")
    with pytest.raises(Invalid, match="there is no variable 'shop_ulr'; did you mean 'shop_url'"):
        pipeline.workflow(action)


def test_workflows_that_call_none_cost_no_statement(pipeline: Pipeline) -> None:
    made = pipeline.workflow(show("trigger"))
    with counting_statements(pipeline.backends.engine) as statements, working(pipeline.backends):
        pipeline.finished(pipeline.accept(made.id).event_id)
    assert not [statement for statement in statements if "workflow.variables" in statement]


def test_the_data_picker_has_them(pipeline: Pipeline) -> None:
    put(pipeline.backends, shop_url="https://shop.test")
    made = pipeline.workflow(show("trigger"))
    with Session(pipeline.backends.engine) as session:
        definition = {"name": "w", "actions": [show("trigger")]}
        context = expression_context.context_at(session, made.id, definition, "/actions/0")
    assert context.roots["vars"] == {"shop_url": "https://shop.test"}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("1st", "x", "/name: must be letters"),
        ("a", None, "/value: is required"),
        ("a", "x" * 40_000, "/value: must"),
    ],
)
def test_what_cannot_be_one_is_refused(backends: Backends, name: str, value: Any, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        put(backends, **{name: value})


def test_there_are_only_so_many(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowforge.connections.variables.MOST_VARIABLES", 1)
    put(backends, a=1)
    put(backends, a=2)
    with pytest.raises(Conflict):
        put(backends, b=1)
    with Session(backends.engine) as session:
        delete_variable(session, OWNER, "a")
    put(backends, b=1)
