"""FOR_EACH_PAGE: which pages there are, what they see of one another, and what comes of them."""

from __future__ import annotations

from typing import Any

from flowforge.execution.simulator import Due, Simulation
from flowforge.execution.state import Status, StepEnded
from tests.execution.simulations import Action, begun

LIST: Action = {"id": "list", "type": "CALL", "config": {"page": "{{ page }}"}}


def for_each_page(*actions: Action, **config: Any) -> Action:
    return {"id": "pages", "type": "FOR_EACH_PAGE", "config": config, "actions": list(actions or [LIST])}


def give(simulation: Simulation, next_: Any = None, items: Any = (), **output: Any) -> Due:
    """Ends the oldest thing that is due with a page; returns it."""
    first = simulation.due.popleft()
    page = {"items": list(items), "complete": next_ is None, "next": next_, **output}
    assert simulation.end(StepEnded(first.step.index, first.attempt, first.what.iteration, page))
    return first


def test_each_page_is_read_after_the_place_where_the_one_before_has_ended() -> None:
    execution = begun(for_each_page())
    seen = [give(execution, next_).scope["page"] for next_ in ("b", "c", None)]
    assert seen == [{"number": 1, "after": None}, {"number": 2, "after": "b"}, {"number": 3, "after": "c"}]
    assert execution.status is Status.COMPLETED
    assert execution.outputs["step_0"] == {"count": 3, "complete": True}


def test_the_next_page_is_read_when_all_is_done_with_the_one_before() -> None:
    mail = {"id": "mail", "type": "CALL", "config": {"to": "{{ item }}"}}
    each = {"type": "FOR_EACH", "config": {"items": "{{ steps.list.items }}", "concurrency": 5}, "actions": [mail]}
    execution = begun(for_each_page(LIST, each))
    give(execution, "b", [1, 2])
    assert [due.step.id for due in execution.due] == ["mail", "mail"]
    give(execution)
    assert [due.step.id for due in execution.due] == ["mail"]
    give(execution)
    assert [due.step.id for due in execution.due] == ["list"]


def test_what_is_collected_is_the_pages_in_their_order() -> None:
    execution = begun(for_each_page(collect="{{ page.number * (steps.list['items'] | length) }}"))
    give(execution, "b", [1, 2])
    give(execution, None, [3])
    assert execution.outputs["step_0"] == {"count": 2, "complete": True, "results": [2, 2]}


def test_a_list_that_was_cut_ends_it_incomplete() -> None:
    execution = begun(for_each_page())
    give(execution, None, complete=False)
    assert execution.outputs["step_0"] == {"count": 1, "complete": False}


def test_what_is_no_page_is_an_error_that_names_its_number() -> None:
    execution = begun(for_each_page())
    give(execution, "b")
    first = execution.due.popleft()
    execution.end(StepEnded(first.step.index, first.attempt, first.what.iteration, {"body": 1}))
    assert execution.status is Status.FAILED
    error = execution.error or {}
    assert (error["message"], error["page"]) == ("step 'pages': 'list' has read no page of a list: give it paging", 2)


def test_one_without_an_action_fails() -> None:
    execution = begun({**for_each_page(), "actions": [{**LIST, "enabled": False}]})
    assert execution.status is Status.FAILED
    assert "there is no action that reads a page" in (execution.error or {})["message"]


def test_only_its_first_action_reads_one_page() -> None:
    plan = begun(for_each_page(LIST, {**LIST, "id": "other"}), {**LIST, "id": "outside"}).plan
    assert [step.id for step in plan.steps if step.reads_page] == ["list"]
