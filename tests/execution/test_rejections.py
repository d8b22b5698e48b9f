"""Approvals that are refused: what was to be approved is not done."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.execution.simulator import Simulation
from flowforge.execution.state import StepEnded
from tests.actions import transform
from tests.execution.simulations import begun

Action = dict[str, Any]
GRANTED = {**transform(x=1), "id": "granted"}


def approval(**parts: Any) -> Action:
    return {"id": "ok", "type": "WAIT", "config": {"for": "approval"}, **parts}


def answer(simulation: Simulation, *, approved: bool, by: str | None = None) -> Simulation:
    """Of the wait that is due, wherever it stands."""
    [due] = [due for due in simulation.due if due.step.id == "ok"]
    simulation.due.remove(due)
    output = {"approved": approved, "comment": None, "by": by}
    simulation.end(StepEnded(due.step.index, due.attempt, due.what.iteration, output))
    return simulation


def due(simulation: Simulation) -> list[str]:
    return [due.step.id for due in simulation.due]


def succeed(simulation: Simulation) -> None:
    """The step that is due."""
    [due] = simulation.due
    simulation.due.remove(due)
    simulation.end(StepEnded(due.step.index, due.attempt, due.what.iteration, {"done": due.step.id}))


def test_the_execution_has_failed() -> None:
    execution = answer(begun(approval(), GRANTED), approved=False, by="ada")
    assert (execution.run.status, due(execution)) == ("FAILED", [])
    assert execution.run.error is not None
    assert (execution.run.error["step"], execution.run.error["message"]) == ("ok", "rejected by ada")


def test_what_is_granted_goes_on() -> None:
    assert due(answer(begun(approval(onReject=[transform()]), GRANTED), approved=True)) == ["granted"]


def test_it_goes_on_where_that_is_wanted() -> None:
    assert due(answer(begun(approval(onReject="continue"), GRANTED), approved=False)) == ["granted"]


@pytest.mark.parametrize("reaction", ["continue", [{**transform(), "id": "handler"}]])
def test_what_is_done_about_errors_is_not_done_about_a_rejection(reaction: Any) -> None:
    """Else it would go on as if it were granted where only "nobody came" was to be provided for."""
    assert answer(begun(approval(onError=reaction), GRANTED), approved=False).run.status == "FAILED"


def test_actions_of_its_own_are_done_and_then_nothing() -> None:
    tell = {**transform(seen="{{ steps.ok.approved }}"), "id": "tell"}
    execution = answer(begun(approval(onReject=[tell, {**transform(), "id": "note"}]), GRANTED), approved=False)
    assert due(execution) == ["tell"]
    succeed(execution)
    succeed(execution)
    assert (execution.run.status, execution.run.result) == ("COMPLETED", {"done": "note"})


def test_no_actions_are_actions_too() -> None:
    assert answer(begun(approval(onReject=[]), GRANTED), approved=False).run.status == "COMPLETED"


def test_whatever_stands_around_it_in_the_same_frame_is_over_as_well() -> None:
    tell = {"type": "BRANCH", "branches": [{"when": True, "actions": [{**transform(), "id": "tell"}]}]}
    inner = {"type": "BRANCH", "branches": [{"when": True, "actions": [approval(onReject=[tell]), GRANTED]}]}
    execution = answer(begun(inner, {**transform(), "id": "after"}), approved=False)
    assert due(execution) == ["tell"]
    succeed(execution)
    assert execution.run.status == "COMPLETED"


def test_an_item_of_a_loop_is_over_and_the_next_begins() -> None:
    loop = {
        "id": "each",
        "type": "FOR_EACH",
        "config": {"items": [1, 2]},
        "actions": [approval(onReject=[{**transform(), "id": "tell"}]), GRANTED],
    }
    execution = answer(begun(loop, {**transform(), "id": "after"}), approved=False)
    succeed(execution)
    answer(execution, approved=True)
    assert due(execution) == ["granted"]
    succeed(execution)
    assert due(execution) == ["after"]


def test_a_failed_item_is_what_the_loop_says_it_is() -> None:
    config = {"items": [1], "onItemError": "continue"}
    loop = {"id": "each", "type": "FOR_EACH", "config": config, "actions": [approval(), GRANTED]}
    assert due(answer(begun(loop, {**transform(), "id": "after"}), approved=False)) == ["after"]


def test_an_error_around_it_is_handled_around_it() -> None:
    branch = {"when": True, "actions": [approval(), GRANTED]}
    block = {"type": "BRANCH", "branches": [branch], "onError": [{**transform(), "id": "handler"}]}
    assert due(answer(begun(block), approved=False)) == ["handler"]


def test_what_fails_about_a_rejection_is_not_an_error_of_the_wait() -> None:
    """Its `onError` is about nobody coming, and would go on as if it were granted."""
    wrong = {"type": "WAIT", "config": {"until": "2099-01-01"}}
    execution = begun(approval(onReject=[wrong], onError="continue"), GRANTED)
    assert answer(execution, approved=False).run.status == "FAILED"
