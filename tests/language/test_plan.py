"""The plan a definition compiles to."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.errors import Invalid
from flowforge.language.definition import RetryPolicy
from flowforge.language.expressions.resolving import resolve
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
    assert first.next is not None
    assert (first.type, first.next.type, first.next.next) == ("A", "B", None)


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
    assert plan.steps[0].next is plan.steps[1]


def test_nothing_to_do_is_a_plan_too() -> None:
    for plan in (plan_of(), plan_of({"type": "a", "enabled": False})):
        assert plan.first() is None


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


def test_blocks_and_handlers_are_numbered_as_they_are_written() -> None:
    branch = {
        "type": "BRANCH",
        "branches": [{"when": True, "actions": [{"type": "a"}]}, {"when": False, "actions": [{"type": "b"}]}],
        "else": [{"type": "c"}],
        "onError": [{"type": "d"}],
    }
    loop = {"type": "FOR_EACH", "actions": [{"type": "e", "enabled": False}, {"type": "f"}]}
    plan = plan_of(branch, loop, {"type": "g"})
    assert [(step.index, step.type, step.body.kind.value) for step in plan.steps] == [
        (0, "BRANCH", "root"),
        (1, "A", "branch"),
        (2, "B", "branch"),
        (3, "C", "branch"),
        (4, "D", "handler"),
        (5, "FOR_EACH", "root"),
        (7, "F", "loop"),
        (8, "G", "root"),
    ]
    assert plan.length == 9


def test_a_block_needs_what_its_steps_refer_to() -> None:
    inner = {"type": "a", "config": {"x": "{{ steps.fetch.y }}"}, "when": "{{ item.ok and trigger.go }}"}
    plan = plan_of({"type": "a", "id": "fetch"}, {"type": "FOR_EACH", "actions": [inner]})
    needs = plan.needs(plan.steps[1])
    assert (needs.roots, needs.steps) == ({"steps", "item", "trigger"}, {"fetch"})


def test_a_block_whose_steps_hand_on_all_outputs_needs_all() -> None:
    plan = plan_of({"type": "FOR_EACH", "actions": [{"type": "a", "config": {"all": "{{ steps }}"}}]})
    assert plan.needs(plan.steps[0]).steps is None


def test_a_definition_of_the_largest_size_compiles() -> None:
    plan = plan_of(*[{"type": "a", "id": f"s{n}"} for n in range(1_000)])
    assert len(plan.steps) == 1_000
    assert plan.names()["s999"] == 999
