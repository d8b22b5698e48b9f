"""The plan a definition compiles to."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.errors import Invalid
from flowforge.language.definition import RetryPolicy
from flowforge.language.expressions import resolve
from flowforge.language.plan import Plan, compile_plan


def plan_of(*actions: dict[str, Any], templated: bool = True) -> Plan:
    return compile_plan({"name": "orders", "trigger": None, "actions": list(actions)}, templated=templated)


def test_a_plain_list_compiles_to_its_positions() -> None:
    plan = plan_of({"type": "a"}, {"type": "b", "config": {"x": 1}}, {"type": "c"})
    assert [(step.index, step.id, step.type) for step in plan.steps] == [
        (0, "step_0", "A"),
        (1, "step_1", "B"),
        (2, "step_2", "C"),
    ]
    assert [step.config for step in plan.steps] == [{}, {"x": 1}, {}]
    assert plan.length == 3


def test_the_steps_are_gone_through_one_after_another() -> None:
    plan = plan_of({"type": "a"}, {"type": "b"})
    first = plan.first()
    assert first is not None
    second = plan.after(first.index)
    assert second is not None
    assert (first.type, second.type, plan.after(second.index)) == ("A", "B", None)


def test_an_action_keeps_what_it_says_about_itself() -> None:
    [step] = plan_of(
        {"type": "a", "id": "fetch", "name": "Fetch", "retry": {"attempts": 2}, "timeout": 5}, templated=False
    ).steps
    assert (step.id, step.name, step.timeout, step.templated) == ("fetch", "Fetch", 5, False)
    assert step.retry == RetryPolicy(attempts=2)


def test_a_step_without_retry_and_timeout_leaves_them_to_the_instance() -> None:
    [step] = plan_of({"type": "a"}).steps
    assert (step.retry, step.timeout, step.name) == (None, None, "step_0")


def test_a_disabled_action_is_skipped_and_keeps_its_index() -> None:
    plan = plan_of({"type": "a"}, {"type": "b", "enabled": False}, {"type": "c"})
    assert [step.index for step in plan.steps] == [0, 2]
    assert plan.length == 3
    assert plan.step(1) is None
    following = plan.after(0)
    assert following is not None
    assert following.index == 2


def test_nothing_to_do_is_a_plan_too() -> None:
    for plan in (plan_of(), plan_of({"type": "a", "enabled": False})):
        assert plan.first() is None
        assert plan.after(0) is None


def test_outputs_are_called_by_position_and_by_id() -> None:
    plan = plan_of({"type": "a", "id": "fetch"}, {"type": "b"})
    assert plan.names() == {"step_0": 0, "fetch": 0, "step_1": 1}
    steps = plan.outputs({"step_0": {"x": 1}, "step1": "seed data"})
    assert steps == {"step_0": {"x": 1}, "fetch": {"x": 1}, "step1": "seed data"}
    assert resolve("{{ steps.fetch.x + steps.step_0.x }}", {"steps": steps}, step="b") == 2


def test_a_row_that_holds_only_types_compiles() -> None:
    plan = compile_plan({"actions": [{"type": "SLACK_MESSAGE"}]}, templated=False)
    assert plan.steps[0].config == {}


@pytest.mark.parametrize("actions", [None, []])
def test_a_row_without_actions_compiles(actions: Any) -> None:
    assert compile_plan({"name": "", "trigger": {"anything": 1}, "actions": actions}, templated=False).length == 0


def test_actions_that_cannot_be_read_are_an_error() -> None:
    with pytest.raises(Invalid):
        compile_plan({"name": "x", "actions": [{"config": []}]}, templated=True)


def test_plans_of_equal_definitions_are_equal() -> None:
    assert plan_of({"type": "a"}) == plan_of({"type": "A"})
    assert plan_of({"type": "a"}) != plan_of({"type": "b"})


def test_a_definition_of_the_largest_size_compiles() -> None:
    plan = plan_of(*[{"type": "a", "id": f"s{n}"} for n in range(1_000)])
    assert len(plan.steps) == 1_000
    assert plan.names()["s999"] == 999
