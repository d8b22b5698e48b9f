"""Every arrow of docs/execution-states.md, and that nothing else moves an execution."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.execution.machine import (
    Execution,
    StartStep,
    Status,
    StepEnded,
    Transition,
    begin,
    cancel,
    step_ended,
)
from flowforge.execution.retry import Failure, retry_at
from flowforge.language.definition import RetryPolicy
from flowforge.language.plan import Plan, compile_plan

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def plan(count: int, attempts: int = 3, disabled: tuple[int, ...] = ()) -> Plan:
    actions = [
        {"type": "HTTP_REQUEST", "config": {}, "retry": {"attempts": attempts}, "enabled": index not in disabled}
        for index in range(count)
    ]
    return compile_plan({"name": "story", "actions": actions}, templated=True)


def end(execution: Execution, plan: Plan, fact: StepEnded) -> Transition:
    return step_ended(execution, plan, fact, RetryPolicy(), NOW, 0.0)


def running(step: int = 0) -> Execution:
    return Execution(Status.RUNNING, step)


def test_a_an_event_starts_the_first_step() -> None:
    transition = begin(plan(2))
    assert transition.execution.status is Status.RUNNING
    assert transition.start == StartStep(0)


def test_b_a_plan_without_steps_is_completed_at_step_0() -> None:
    transition = begin(plan(0))
    assert (transition.execution.status, transition.execution.current_step) == (Status.COMPLETED, 0)
    assert transition.start is None


def test_c_success_stores_the_output_and_starts_the_next_step() -> None:
    transition = end(running(), plan(2), StepEnded(0, 1, output={"id": 7}))
    assert transition.execution == Execution(Status.RUNNING, 1, {"step_0": {"id": 7}})
    assert transition.start == StartStep(1)


def test_d_the_last_success_completes_with_current_step_at_the_number_of_actions() -> None:
    transition = end(running(1), plan(2), StepEnded(1, 1))
    assert (transition.execution.status, transition.execution.current_step) == (Status.COMPLETED, 2)


def test_e_a_passing_failure_is_tried_again_later() -> None:
    transition = end(running(), plan(1), StepEnded(0, 1, failure=Failure("busy")))
    assert transition.execution == running()
    assert transition.start == StartStep(0, attempt=2, due_at=NOW + timedelta(seconds=0.5))


@pytest.mark.parametrize(("attempt", "permanent"), [(1, True), (3, False)])
def test_f_a_final_failure_keeps_its_reason(attempt: int, permanent: bool) -> None:
    transition = end(running(), plan(1), StepEnded(0, attempt, failure=Failure("no such channel", permanent)))
    assert transition.execution.status is Status.FAILED
    assert transition.execution.error == {
        "step": "step_0",
        "stepIndex": 0,
        "message": "no such channel",
        "attempt": attempt,
    }


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING])
def test_g_what_is_not_over_can_be_cancelled(status: Status) -> None:
    assert cancel(Execution(status)).execution.status is Status.CANCELLED


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_terminal_is_terminal(status: Status) -> None:
    over = Execution(status, 0)
    for transition in (cancel(over), end(over, plan(2), StepEnded(0, 1))):
        assert transition == Transition(over, applied=False)


def test_a_result_of_another_step_is_stale() -> None:
    assert end(running(1), plan(3), StepEnded(0, 1)) == Transition(running(1), applied=False)


def test_disabled_steps_are_passed_over_and_keep_their_numbers() -> None:
    assert end(running(), plan(3, disabled=(1,)), StepEnded(0, 1)).start == StartStep(2)


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 4), st.integers(1, 3))
def test_every_story_ends_in_a_terminal_state(outcomes: list[bool], count: int, attempts: int) -> None:
    steps = plan(count, attempts)
    transition = begin(steps)
    story = iter([*outcomes, *[True] * (count + attempts)])
    while transition.start is not None:
        start = transition.start
        failure = None if next(story) else Failure("passing")
        transition = end(transition.execution, steps, StepEnded(start.step_index, start.attempt, failure=failure))
    assert transition.execution.status in {Status.COMPLETED, Status.FAILED}


class TestRetryAt:
    def test_waits_double_up_to_the_longest(self) -> None:
        backoff = RetryPolicy(attempts=10, delay=1, factor=2, maxDelay=5)
        waits = [retry_at(backoff, attempt, Failure("x"), NOW, 0.999999) for attempt in range(1, 6)]
        assert [round((wait - NOW).total_seconds()) for wait in waits if wait] == [1, 2, 4, 5, 5]

    def test_a_receivers_retry_after_is_the_least_wait(self) -> None:
        assert retry_at(RetryPolicy(), 1, Failure("x", retry_after=30), NOW, 0) == NOW + timedelta(seconds=30)

    def test_an_absurd_retry_after_is_bounded(self) -> None:
        assert retry_at(RetryPolicy(), 1, Failure("x", retry_after=1e9), NOW, 0) == NOW + timedelta(days=1)
