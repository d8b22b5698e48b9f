"""Every arrow of docs/execution-states.md, and that nothing else moves an execution."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from flowforge.execution.commands import CallWorkflow, StartStep, Wait
from flowforge.execution.conditions import holds
from flowforge.execution.retry import LONGEST_PAUSE_SECONDS, MOST_PAUSES, Failure, retry_at
from flowforge.execution.simulator import Simulation
from flowforge.execution.state import Status, StepEnded
from flowforge.language.definition import RetryPolicy
from flowforge.language.plan import compile_plan
from tests.execution.simulations import NOW, Action, begun


def steps(count: int, attempts: int = 3, disabled: tuple[int, ...] = ()) -> list[Action]:
    retry = {"attempts": attempts}
    return [{"type": "CALL", "retry": retry, "enabled": index not in disabled} for index in range(count)]


def due(simulation: Simulation) -> list[Any]:
    return [one.what for one in simulation.due]


def succeed(simulation: Simulation, output: Any = None) -> None:
    """The oldest of what is due."""
    first = simulation.due.popleft()
    assert simulation.end(StepEnded(first.step.index, first.attempt, first.what.iteration, output or {}))


def fail(simulation: Simulation, *, permanent: bool = True, index: int = 0) -> None:
    first = simulation.due[index]
    del simulation.due[index]
    failure = Failure("no such channel", permanent)
    assert simulation.end(StepEnded(first.step.index, first.attempt, first.what.iteration, failure=failure))


def test_a_an_event_starts_the_first_step() -> None:
    execution = begun(*steps(2))
    assert (execution.status, due(execution)) == (Status.RUNNING, [StartStep(0)])


def test_b_a_plan_without_steps_is_completed_at_step_0() -> None:
    execution = begun()
    assert (execution.status, execution.current_step, due(execution)) == (Status.COMPLETED, 0, [])


def test_c_success_stores_the_output_and_starts_the_next_step() -> None:
    execution = begun(*steps(2))
    succeed(execution, {"id": 7})
    assert (execution.status, execution.current_step, execution.outputs) == (Status.RUNNING, 1, {"step_0": {"id": 7}})
    assert due(execution) == [StartStep(1)]


def test_d_the_last_success_completes_with_current_step_at_the_number_of_actions() -> None:
    execution = begun(*steps(2))
    succeed(execution)
    succeed(execution)
    assert (execution.status, execution.current_step) == (Status.COMPLETED, 2)


def test_d_a_stop_completes_before_the_last_step() -> None:
    execution = begun({"type": "STOP", "config": {"output": {"n": 1}}}, *steps(1))
    assert (execution.status, execution.result, due(execution)) == (Status.COMPLETED, {"n": 1}, [])


def test_e_a_passing_failure_is_tried_again_later() -> None:
    execution = begun(*steps(1))
    fail(execution, permanent=False)
    assert execution.status is Status.RUNNING
    assert due(execution) == [StartStep(0, attempt=2, due_at=NOW + timedelta(seconds=0.5), repeats=1)]


@pytest.mark.parametrize(("answered", "repeats"), [([False, False], 1), ([True, False], 2), ([False, True], None)])
def test_a_retry_repeats_the_call_since_which_there_was_no_definite_answer(
    answered: list[bool], repeats: int | None
) -> None:
    execution = begun(*steps(1, 5))
    for was_answered in answered:
        [step] = execution.due
        execution.due.clear()
        failure = Failure("no", answered=was_answered)
        execution.end(StepEnded(0, step.attempt, failure=failure, repeats=step.what.repeats))  # type: ignore[union-attr]
    [retry] = due(execution)
    assert (retry.attempt, retry.repeats) == (3, repeats)


@pytest.mark.parametrize("handling", ["continue", [{"type": "CALL"}]])
def test_e_an_error_that_is_handled_goes_on(handling: Any) -> None:
    execution = begun({"type": "CALL", "id": "call", "onError": handling}, *steps(1))
    fail(execution)
    assert execution.status is Status.RUNNING
    assert execution.outputs["step_0"]["error"]["step"] == "call"


@pytest.mark.parametrize(("attempts", "permanent"), [(3, True), (1, False)])
def test_f_a_final_failure_keeps_its_reason(attempts: int, permanent: bool) -> None:
    execution = begun(*steps(1, attempts))
    fail(execution, permanent=permanent)
    assert execution.status is Status.FAILED
    assert execution.error == {"step": "step_0", "stepIndex": 0, "message": "no such channel", "attempt": 1}


def test_f_what_fails_in_a_handler_is_not_handled_by_it() -> None:
    execution = begun({"type": "CALL", "onError": [{"type": "CALL", "id": "mend"}]})
    fail(execution)
    fail(execution)
    assert execution.status is Status.FAILED
    assert execution.error is not None
    assert execution.error["step"] == "mend"


@pytest.mark.parametrize("status", list(Status))
def test_g_what_is_not_over_can_be_cancelled_and_terminal_is_terminal(status: Status) -> None:
    execution = begun(*steps(2))
    execution.run.status = status
    assert execution.run.cancel() is not status.terminal
    assert execution.run.status is (status if status.terminal else Status.CANCELLED)
    assert not execution.end(StepEnded(0, 1))


@pytest.mark.parametrize("fact", [StepEnded(1, 1), StepEnded(0, 1, iteration=5), StepEnded(99, 1)])
def test_a_result_of_another_step_is_stale(fact: StepEnded) -> None:
    execution = begun(*steps(3))
    assert not execution.end(fact)
    assert due(execution) == [StartStep(0)]


def test_a_pinned_step_is_not_run_and_what_steers_cannot_be_pinned() -> None:
    call = {"type": "CALL", "id": "call"}
    branch = {"type": "BRANCH", "id": "way", "branches": [{"name": "on", "when": "{{ steps.call.n > 1 }}"}]}
    pins = {"call": {"n": 2}, "way": {"branch": "off"}, "nobody": {}}
    execution = Simulation(
        compile_plan({"actions": [call, branch, call | {"id": "last"}], "pins": pins}, templated=True), {}
    )
    assert due(execution) == [StartStep(2)]
    assert execution.outputs == {"step_0": {"n": 2}, "step_1": {"branch": "on"}}


def test_disabled_steps_are_passed_over_and_keep_their_numbers() -> None:
    execution = begun(*steps(3, disabled=(1,)))
    succeed(execution)
    assert due(execution) == [StartStep(2)]


class TestBlocks:
    def test_a_loop_begins_as_many_items_as_it_may(self) -> None:
        loop = {"type": "FOR_EACH", "config": {"items": [1, 2, 3], "concurrency": 2}, "actions": steps(1)}
        execution = begun(loop)
        assert due(execution) == [StartStep(1, iteration=1), StartStep(1, iteration=2)]
        succeed(execution)
        assert due(execution) == [StartStep(1, iteration=2), StartStep(1, iteration=3)]

    def test_the_first_failing_item_is_the_reason_whichever_failed_first(self) -> None:
        loop = {"type": "FOR_EACH", "config": {"items": [1, 2, 3], "concurrency": 2}, "actions": steps(1)}
        execution = begun(loop)
        fail(execution, index=1)
        assert execution.status is Status.RUNNING, "the item that runs is let finish"
        fail(execution)
        assert execution.status is Status.FAILED
        assert execution.error is not None
        assert execution.error["item"] == 0

    def test_a_list_that_is_none_fails_the_loop(self) -> None:
        execution = begun({"type": "FOR_EACH", "config": {"items": "{{ trigger.n }}"}, "actions": []}, trigger={"n": 3})
        assert execution.status is Status.FAILED
        assert execution.error is not None
        assert "items must be a list" in execution.error["message"]

    def test_a_loop_over_nothing_is_over_at_once(self) -> None:
        execution = begun({"type": "FOR_EACH", "config": {"items": []}, "actions": steps(1)})
        assert execution.outputs == {"step_0": {"count": 0, "failed": 0, "results": []}}
        assert execution.current_step == 2

    def test_what_a_loop_may_collect_is_bounded(self) -> None:
        loop = {"type": "FOR_EACH", "config": {"items": ["x" * 100] * 9, "collect": "{{ item }}"}, "actions": []}
        plan = compile_plan({"actions": [loop]}, templated=True)
        execution = Simulation(plan, {}, output_limit=500)
        assert execution.status is Status.FAILED
        assert "what it collected has more than 500 bytes, which is the limit: let" in str(execution.error)

    @pytest.mark.parametrize(
        ("kind", "config"),
        [
            ("STOP", {"output": ["{{ trigger.text }}"] * 9}),
            ("RESPOND", {"body": ["{{ trigger.text }}"] * 9}),
            ("RUN_WORKFLOW", {"workflowId": str(uuid4()), "payload": {"texts": ["{{ trigger.text }}"] * 9}}),
            ("FOR_EACH", {"items": ["{{ trigger.text }}"] * 99}),
        ],
    )
    def test_what_a_block_makes_is_bounded(self, kind: str, config: Action) -> None:
        block = {"type": kind, "config": config, "onError": "continue", "id": "made"}
        block |= {"actions": []} if kind == "FOR_EACH" else {}
        plan = compile_plan({"actions": [block]}, templated=True)
        execution = Simulation(plan, {"text": "x" * 100}, output_limit=500)
        assert "bytes, which is the limit" in execution.outputs["step_0"]["error"]["message"]

    def test_a_wait_names_its_time(self) -> None:
        execution = begun({"type": "WAIT", "config": {"until": "2026-03-05"}})
        assert due(execution) == [Wait(0, 0, datetime(2026, 3, 5, tzinfo=UTC))]

    @pytest.mark.parametrize("until", ["9999-12-31", "2027-03-05T05:06:08Z"])
    def test_a_wait_until_a_time_is_bounded_as_one_for_seconds_is(self, until: str) -> None:
        execution = begun(
            {"id": "rest", "type": "WAIT", "config": {"until": "{{ trigger.until }}"}}, trigger={"until": until}
        )
        assert execution.status is Status.FAILED
        assert execution.error is not None
        assert execution.error["message"] == (
            "step 'rest': the config of WAIT cannot be used: until must be at most 366 days from now"
        )

    def test_a_wait_of_the_longest_time_is_fine(self) -> None:
        execution = begun({"type": "WAIT", "config": {"until": "2027-03-05T05:06:07Z"}})
        assert due(execution) == [Wait(0, 0, NOW + timedelta(days=366))]

    def test_a_call_names_workflow_and_payload(self) -> None:
        id_ = uuid4()
        config = {"workflowId": str(id_), "payload": {"n": "{{ trigger.n }}"}, "wait": False}
        execution = begun({"type": "RUN_WORKFLOW", "config": config}, trigger={"n": 3})
        assert due(execution) == [CallWorkflow(0, 0, id_, {"n": 3}, awaited=False)]

    def test_the_first_answer_counts(self) -> None:
        respond = {"type": "RESPOND", "config": {"status": "{{ trigger.status }}", "body": {"ok": True}}}
        execution = begun(respond, {"type": "RESPOND", "config": {"body": "late"}}, trigger={"status": 201})
        assert execution.response is not None
        assert (execution.response.status, execution.response.body) == (201, {"ok": True})


@pytest.mark.parametrize("value", [True, 1, "yes", [0], {"a": 1}])
def test_what_holds(value: Any) -> None:
    assert holds(value)


@pytest.mark.parametrize("value", [False, 0, "", " ", "false", "False", None, [], {}])
def test_what_does_not_hold(value: Any) -> None:
    assert not holds(value)


class TestPauses:
    """Attempts whose receiver asks to be left alone for a while."""

    def end(self, simulation: Simulation, failure: Failure) -> StartStep | None:
        """The attempt that follows."""
        first = simulation.due.popleft()
        start = first.what
        fact = StepEnded(0, first.attempt, start.iteration, failure=failure, pauses=start.pauses)
        assert simulation.end(fact)
        return due(simulation)[0] if simulation.due else None

    def test_they_use_up_none_of_the_attempts(self) -> None:
        execution = begun(*steps(1, attempts=2))
        busy, broken = Failure("busy", retry_after=30), Failure("broken")
        for number in (1, 2):
            retry = self.end(execution, busy)
            assert retry is not None
            assert (retry.attempt, retry.pauses) == (number + 1, number)
        retry = self.end(execution, broken)
        assert retry is not None
        assert (retry.attempt, retry.pauses) == (4, 2)
        assert self.end(execution, broken) is None
        assert execution.status is Status.FAILED

    def test_a_step_that_is_tried_once_pauses_too_but_not_for_ever(self) -> None:
        execution, tries = begun(*steps(1, attempts=1)), 1
        while self.end(execution, Failure("busy", retry_after=30)):
            tries += 1
        assert (tries, execution.status) == (MOST_PAUSES + 1, Status.FAILED)

    @pytest.mark.parametrize(
        "failure",
        [
            Failure("busy"),
            Failure("busy", retry_after=0),
            Failure("busy", retry_after=LONGEST_PAUSE_SECONDS + 1),
            Failure("busy", permanent=True, retry_after=30),
            Failure("busy", final=True, retry_after=30),
        ],
    )
    def test_what_is_no_pause_counts(self, failure: Failure) -> None:
        assert self.end(begun(*steps(1, attempts=1)), failure) is None


class TestRetryAt:
    def test_waits_double_up_to_the_longest(self) -> None:
        backoff = RetryPolicy(attempts=10, delay=1, factor=2, maxDelay=5)
        waits = [retry_at(backoff, attempt, Failure("x"), NOW, 0.999999) for attempt in range(1, 6)]
        assert [round((wait - NOW).total_seconds()) for wait in waits if wait] == [1, 2, 4, 5, 5]

    def test_a_receivers_retry_after_is_the_least_wait(self) -> None:
        assert retry_at(RetryPolicy(), 1, Failure("x", retry_after=30), NOW, 0) == NOW + timedelta(seconds=30)

    def test_a_permanent_failure_is_tried_again_only_where_that_is_wanted(self) -> None:
        assert retry_at(RetryPolicy(), 1, Failure("x", permanent=True), NOW, 0) is None
        assert retry_at(RetryPolicy(on="any"), 1, Failure("x", permanent=True), NOW, 0) is not None

    def test_an_absurd_retry_after_is_bounded(self) -> None:
        assert retry_at(RetryPolicy(), 1, Failure("x", retry_after=1e9), NOW, 0) == NOW + timedelta(days=1)
