"""The list of workflows: found by name and state, each with its recent runs, in three statements."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow
from flowforge.errors import Invalid, NotFound
from flowforge.ids import uuid7
from flowforge.workflows import tags
from flowforge.workflows.listing import RUNS_SHOWN, Order, Sort, WorkflowFilter, count, search
from tests.statements import counting_rows
from tests.stored_rows import write_runs


def names(session: Session, user_id: UUID, **wanted: object) -> list[str]:
    return [row.name for row in search(session, user_id, WorkflowFilter(**wanted)).rows]  # type: ignore[arg-type]


def test_workflows_are_found_by_name_and_state(
    session: Session, user_id: UUID, workflow: Callable[..., Workflow]
) -> None:
    workflow("Orders to Slack")
    workflow("50% off", enabled=False)
    workflow("Somebody else's", user_id=uuid7())
    assert names(session, user_id) == ["50% off", "Orders to Slack"]
    assert names(session, user_id, text="slack") == ["Orders to Slack"]
    assert names(session, user_id, text="0% o") == ["50% off"]
    assert names(session, user_id, text="%") == ["50% off"]
    assert names(session, user_id, enabled=True) == ["Orders to Slack"]
    assert names(session, user_id, enabled=False) == ["50% off"]


def test_pages_follow_each_other(session: Session, user_id: UUID, workflow: Callable[..., Workflow]) -> None:
    for number in range(5):
        workflow(str(number))
    first = search(session, user_id, size=3)
    second = search(session, user_id, size=3, after=first.after)
    assert [row.name for row in (*first.rows, *second.rows)] == ["4", "3", "2", "1", "0"]
    assert second.after is None
    with pytest.raises(NotFound):
        search(session, user_id, after=uuid7())


def test_a_row_tells_of_trigger_steps_and_runs(
    session: Session, user_id: UUID, workflow: Callable[..., Workflow], execution: Callable[..., UUID]
) -> None:
    made = workflow(trigger_definition={"type": "Webhook"}, actions_definition=[{"type": "A"}, {"type": "B"}])
    for minute in range(RUNS_SHOWN + 5):
        execution(minute, workflow_id=made.id)
    last = execution(99, workflow_id=made.id, status="FAILED")
    [row] = search(session, user_id).rows
    assert (row.trigger_type, row.steps, len(row.runs)) == ("webhook", 2, RUNS_SHOWN)
    assert row.last is not None
    assert (row.last.id, row.last.status) == (last, "FAILED")


def test_adopted_rows_of_any_shape_are_listed(
    session: Session, user_id: UUID, workflow: Callable[..., Workflow]
) -> None:
    workflow(trigger_definition=None, actions_definition=None)
    workflow(trigger_definition={}, actions_definition={"not": "a list"})
    assert [(row.trigger_type, row.steps, row.last) for row in search(session, user_id).rows] == [
        ("manual", 0, None)
    ] * 2


def test_the_number_of_statements_does_not_grow(
    session: Session,
    user_id: UUID,
    workflow: Callable[..., Workflow],
    execution: Callable[..., UUID],
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for number in range(30):
        execution(workflow_id=workflow(str(number)).id)
    with statements() as sent:
        assert all(row.last for row in search(session, user_id).rows)
    assert len(sent) == 3


@pytest.mark.parametrize("by", list(Sort))
def test_runs_of_others_are_not_read_for_a_workflow_that_ran_long_ago(
    engine: Engine,
    session: Session,
    user_id: UUID,
    workflow: Callable[..., Workflow],
    execution: Callable[..., UUID],
    by: Sort,
) -> None:
    execution(-1, workflow_id=workflow("old").id)
    workflow("never")
    write_runs(session, user_id, workflow("busy").id, 5_000)
    with counting_rows(engine) as rows:
        assert [len(row.runs) for row in search(session, user_id, order=Order(Sort.NAME, False)).rows] == [
            RUNS_SHOWN,
            0,
            1,
        ]
        search(session, user_id, order=Order(by))
    assert max(rows) <= RUNS_SHOWN + 1


def test_workflows_are_found_by_tag(session: Session, user_id: UUID, workflow: Callable[..., Workflow]) -> None:
    made, other = workflow("Tagged"), workflow("Other")
    assert tags.read(["Shop", " shop ", "Black  Friday", ""]) == ["black friday", "shop"]
    tags.replace(session, user_id, made.id, ["black friday", "shop"])
    tags.replace(session, user_id, other.id, ["shop"])
    tags.replace(session, user_id, other.id, ["else"])
    assert names(session, user_id, tag="Shop") == ["Tagged"]
    assert search(session, user_id, WorkflowFilter(tag="shop")).rows[0].tags == ["black friday", "shop"]
    assert tags.all_of(session, user_id) == ["black friday", "else", "shop"]
    with pytest.raises(NotFound):
        tags.replace(session, uuid7(), made.id, ["stolen"])
    session.delete(made)
    session.commit()
    assert tags.all_of(session, user_id) == ["else"]


@pytest.mark.parametrize(
    "wanted",
    [None, "shop", [5], ["x" * 41], [str(number) for number in range(21)]],
    ids=["none", "text", "number", "long", "many"],
)
def test_tags_that_are_none_are_refused(wanted: object) -> None:
    with pytest.raises(Invalid):
        tags.read(wanted)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (Sort.NAME, ["a", "B", "c"]),
        (Sort.CREATED, ["c", "a", "B"]),
        (Sort.LAST_RUN, ["c", "B", "a"]),
        (Sort.CHANGED, ["c", "a", "B"]),
        (Sort.STATE, ["c", "B", "a"]),
    ],
)
def test_the_list_is_ordered_both_ways_page_by_page(
    session: Session,
    user_id: UUID,
    workflow: Callable[..., Workflow],
    execution: Callable[..., UUID],
    by: Sort,
    expected: list[str],
) -> None:
    workflow("c")
    disabled, ran = workflow("a", enabled=False), workflow("B")
    execution(1, workflow_id=ran.id)
    execution(5, workflow_id=disabled.id)
    for descending in (False, True):
        found, after = [], None
        while page := search(session, user_id, order=Order(by, descending), after=after, size=1):
            found += [row.name for row in page.rows]
            after = page.after
            if after is None:
                break
        assert found == (expected[::-1] if descending else expected), descending
    assert count(session, user_id) == 3
