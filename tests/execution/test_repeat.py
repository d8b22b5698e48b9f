"""REPEAT: how many rounds there are, what they see of one another, and what comes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flowforge.execution.commands import StartStep, Wait
from flowforge.execution.machine import Rules, Run
from flowforge.execution.simulator import Due, Simulation
from flowforge.execution.state import Status, StepEnded
from flowforge.language.definition import RetryPolicy
from flowforge.language.plan import compile_plan
from tests.execution.simulations import NOW, Action, begun

ASK: Action = {"id": "ask", "type": "CALL", "config": {"round": "{{ round }}", "carry": "{{ carry }}"}}


def repeat(*actions: Action, until: Any = "{{ steps.ask.done }}", on_error: Any = None, **config: Any) -> Action:
    block = {"id": "again", "type": "REPEAT", "config": {"until": until, **config}, "actions": list(actions or [ASK])}
    return block | ({"onError": on_error} if on_error else {})


def answer(simulation: Simulation, **output: Any) -> Due:
    """Ends the oldest thing that is due; returns it."""
    first = simulation.due.popleft()
    assert simulation.end(StepEnded(first.step.index, first.attempt, first.what.iteration, output))
    return first


def test_rounds_follow_one_another_until_the_condition_holds() -> None:
    execution = begun(repeat())
    answer(execution, done=False)
    answer(execution, done=False)
    answer(execution, done=True)
    assert execution.status is Status.COMPLETED
    assert execution.outputs["step_0"] == {"count": 3, "done": True, "last": {"done": True}, "carry": None}


def test_there_is_always_a_first_round() -> None:
    execution = begun(repeat(until=True))
    answer(execution, done=False)
    assert execution.outputs["step_0"]["count"] == 1


def test_a_round_sees_its_number_what_the_one_before_gave_and_what_it_carries_on() -> None:
    execution = begun(repeat(start="{{ trigger.page }}", carry="{{ steps.ask.next }}"), trigger={"page": 1})
    seen = [answer(execution, next=page, done=page == 4).scope for page in (2, 3, 4)]
    assert [scope["carry"] for scope in seen] == [1, 2, 3]
    assert [scope["round"]["number"] for scope in seen] == [1, 2, 3]
    assert [scope["round"]["last"] for scope in seen] == [None, {"next": 2, "done": False}, {"next": 3, "done": False}]
    assert execution.outputs["step_0"]["carry"] == 4


def test_the_expressions_after_a_round_see_what_its_steps_saw() -> None:
    execution = begun(repeat(start=10, carry="{{ carry + round.number }}", until="{{ carry >= 13 }}"))
    for _ in range(3):
        answer(execution)
    assert execution.outputs["step_0"] == {"count": 3, "done": True, "last": {}, "carry": 16}


def test_what_each_round_gives_is_collected_where_that_is_asked_for() -> None:
    execution = begun(repeat(collect="{{ steps.ask.n }}"))
    for number in (1, 2):
        answer(execution, n=number, done=number == 2)
    output = execution.outputs["step_0"]
    assert (output["results"], output["last"]) == ([1, 2], 2)


def test_what_is_collected_is_what_the_next_round_sees_as_last() -> None:
    execution = begun(repeat(collect="{{ steps.ask.n }}"))
    answer(execution, n=7, done=False)
    assert answer(execution, n=8, done=True).scope["round"]["last"] == 7


def test_a_condition_that_never_holds_fails_the_block() -> None:
    execution = begun(repeat(most=2))
    answer(execution, done=False)
    answer(execution, done=False)
    assert execution.status is Status.FAILED
    assert execution.error == {
        "step": "again",
        "stepIndex": 0,
        "message": "step 'again': `until` did not hold within 2 rounds",
        "attempt": 1,
    }


def test_or_the_workflow_goes_on_where_it_says_so() -> None:
    execution = begun(repeat(most=2, onMost="continue"))
    answer(execution, done=False)
    answer(execution, done=False)
    assert execution.status is Status.COMPLETED
    assert execution.outputs["step_0"] == {"count": 2, "done": False, "last": {"done": False}, "carry": None}


def test_between_rounds_it_rests_and_holds_nothing() -> None:
    execution = begun(repeat(delay=90))
    answer(execution, done=False)
    [rest] = execution.due
    assert rest.what == Wait(0, 0, NOW + timedelta(seconds=90), "continue", attempt=2)
    answer(execution)
    assert [due.what for due in execution.due] == [StartStep(1, iteration=2)]
    answer(execution, done=True)
    assert execution.status is Status.COMPLETED


def test_behind_the_last_round_it_does_not_rest() -> None:
    execution = begun(repeat(delay=90, most=1, onMost="continue"))
    answer(execution, done=False)
    assert execution.status is Status.COMPLETED


def test_the_end_of_a_rest_that_is_told_again_begins_no_second_round() -> None:
    execution = begun(repeat(delay=90))
    answer(execution, done=False)
    rest = execution.due[0]
    answer(execution)
    answer(execution, done=False)
    assert not execution.end(StepEnded(0, rest.attempt))
    assert isinstance(execution.due[0].what, Wait)


def test_frames_are_opened_one_by_one_and_their_numbers_are_kept_free() -> None:
    execution = begun(repeat(most=50), ASK | {"id": "after"})
    assert set(execution.run.frames) == {0, 1}
    answer(execution, done=False)
    assert set(execution.run.frames) == {0, 1, 2}
    assert execution.run.next_frame == 51


@pytest.mark.parametrize("on_error", ["continue", [ASK | {"id": "help"}]])
def test_an_error_in_a_round_is_the_blocks_and_says_in_which_round(on_error: Any) -> None:
    execution = begun(repeat({"id": "ask", "type": "STOP", "when": "{{ false }}"}, until="{{ round.nothing }}"))
    assert execution.error is not None
    assert (execution.status, execution.error["step"], execution.error["round"]) == (Status.FAILED, "again", 1)
    handled = begun(repeat(until="{{ steps.ask.nothing }}", on_error=on_error))
    answer(handled)
    assert "has no 'nothing'" in handled.outputs["step_0"]["error"]["message"]
    assert handled.status is not Status.FAILED


def test_a_step_that_is_passed_over_leaves_the_round_as_it_is() -> None:
    inner = [ASK | {"when": "{{ round.number == 1 }}"}, {"id": "then", "type": "CALL"}]
    execution = begun(repeat(*inner, until="{{ round.number == 2 }}", collect="{{ steps.ask is defined }}"))
    while execution.due:
        answer(execution)
    assert execution.outputs["step_0"]["results"] == [True, False]


def test_rounds_inside_items_and_items_inside_rounds() -> None:
    each = {"id": "each", "type": "FOR_EACH", "config": {"items": [1, 2], "collect": "{{ item * round.number }}"}}
    inner = each | {"actions": [ASK]}
    both = repeat(inner, until="{{ round.number == 2 }}", collect="{{ steps.each.results }}")
    execution = begun(both)
    while execution.due:
        answer(execution)
    assert execution.outputs["step_0"]["results"] == [[1, 2], [2, 4]]

    rounds = repeat(until="{{ round.number == item }}", collect="{{ [item, round.number, loop.number] }}")
    outer = {"type": "FOR_EACH", "config": {"items": [1, 2], "collect": "{{ steps.again.results }}"}}
    execution = begun(outer | {"actions": [rounds]})
    while execution.due:
        answer(execution)
    assert execution.outputs["step_0"]["results"] == [[[1, 1, 1]], [[2, 1, 2], [2, 2, 2]]]


def test_rounds_that_need_nobody_are_spread_over_several_runs_of_the_machine() -> None:
    execution = begun(
        repeat({"type": "BRANCH", "branches": [{"when": False}]}, until="{{ round.number == 1200 }}", most=2000)
    )
    rests = 0
    while execution.due:
        answer(execution)
        rests += 1
    assert (execution.outputs["step_0"]["count"], rests) == (1200, 2)


def test_an_execution_has_no_more_frames_than_have_numbers() -> None:
    plan = compile_plan({"actions": [repeat(most=10_000)]}, templated=True)
    run = Run(plan, Rules(RetryPolicy(), NOW, 0.0, 1_000_000), {}, lambda _: {}, next_frame=2**31 - 10)
    run.begin()
    assert run.error is not None
    assert "more items and rounds than one execution can" in run.error["message"]


def test_a_condition_that_does_not_hold_within_one_round_is_said_so() -> None:
    execution = begun(repeat(most=1))
    answer(execution, done=False)
    assert execution.error is not None
    assert execution.error["message"] == "step 'again': `until` did not hold within 1 round"


@pytest.mark.parametrize("written", [{}, {"actions": None}])
def test_without_actions_it_fails_rather_than_being_done(written: Action) -> None:
    execution = begun({"id": "again", "type": "REPEAT", "config": {"until": True}, **written})
    assert execution.status is Status.FAILED
    assert execution.error is not None
    assert "no actions to repeat" in execution.error["message"]
