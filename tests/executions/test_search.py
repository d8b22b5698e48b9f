"""Looking through executions: what is found, and that pages follow each other without gap or repeat."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.errors import Invalid
from flowforge.executions.search import Filter, Found, Position, search
from flowforge.ids import uuid7
from tests.stored_rows import NOON

Execution = Callable[..., UUID]


def ids(found: Found) -> list[UUID]:
    return [row.id for row in found.rows]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(workflow_id=UUID(int=7)), {"workflow_id": UUID(int=7)}),
        (Filter(status="FAILED"), {"status": "FAILED"}),
        (Filter(trigger_type="email"), {"trigger_type": "Email"}),
        (Filter(text="TIMED out"), {"error": {"message": "the receiver timed out"}}),
        (Filter(text="order-17"), {"trigger_payload": {"order": "order-17"}}),
        (Filter(text="100%"), {"error": {"message": "100% wrong"}}),
        (Filter(since=NOON + timedelta(hours=1)), {"minutes": 60}),
        (Filter(until=NOON), {"minutes": -1}),
    ],
    ids=["workflow", "status", "trigger", "error", "payload", "percent sign", "since", "until"],
)
def test_a_filter_keeps_what_fits(
    session: Session, user_id: UUID, execution: Execution, wanted: Filter, fits: dict[str, Any]
) -> None:
    execution(trigger_payload={"order": "other 100"}, error={"message": "100 or so"})
    fitting = execution(**fits)
    assert ids(search(session, user_id, wanted)) == [fitting]


def test_the_oldest_come_first_where_that_is_wanted(session: Session, user_id: UUID, execution: Execution) -> None:
    made = [execution(minutes) for minutes in range(5)]
    first = search(session, user_id, Filter(), size=2, oldest_first=True)
    assert (ids(first), first.older) == (made[:2], None)
    second = search(session, user_id, Filter(), first.newer, size=2, oldest_first=True)
    assert ids(second) == made[2:4]
    assert ids(search(session, user_id, Filter(), second.older, size=2, oldest_first=True)) == made[:2]
    last = search(session, user_id, Filter(), second.newer, size=2, oldest_first=True)
    assert (ids(last), last.newer) == (made[4:], None)


def test_only_ones_own_are_found(session: Session, user_id: UUID, execution: Execution) -> None:
    execution(user_id=uuid7())
    assert ids(search(session, user_id, Filter())) == []


@pytest.mark.parametrize("wanted", [Filter(), Filter(text="x")], ids=["all", "text"])
def test_pages_lead_down_and_up_again(session: Session, user_id: UUID, execution: Execution, wanted: Filter) -> None:
    """Several of the same moment, too: the id decides then."""
    made = [execution(minutes // 3, trigger_payload={"x": 1}) for minutes in range(10)]
    newest_first = sorted(made, key=lambda one: (made.index(one) // 3, one), reverse=True)
    pages, position = [], None
    while True:
        page = search(session, user_id, wanted, position, size=4)
        pages.append(page)
        if page.older is None:
            break
        position = Position.parse(str(page.older))
    assert [one for page in pages for one in ids(page)] == newest_first
    assert pages[0].newer is None
    back = search(session, user_id, wanted, pages[2].newer, size=4)
    assert ids(back) == ids(pages[1])
    assert ids(search(session, user_id, wanted, back.newer, size=4)) == ids(pages[0])


def test_a_search_for_text_says_where_it_gave_up_and_goes_on_there(
    session: Session, user_id: UUID, execution: Execution
) -> None:
    needle = execution(0, error={"message": "needle"})
    for minute in range(1, 8):
        execution(minute)
    first = search(session, user_id, Filter(text="needle"), scanned=5)
    assert ids(first) == []
    assert first.searched_to == NOON + timedelta(minutes=3)
    second = search(session, user_id, Filter(text="needle"), first.older, scanned=5)
    assert (ids(second), second.searched_to) == ([needle], None)


@pytest.mark.parametrize("text", ["", "x", "<12", "=1-" + str(UUID(int=0))])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Position.parse(text)


def test_the_number_of_statements_is_bounded(
    session: Session,
    user_id: UUID,
    execution: Execution,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for minute in range(30):
        execution(minute)
    with statements() as plain:
        found = search(session, user_id, Filter())
        assert {row.error for row in found.rows} == {None}
    with statements() as scanning:
        search(session, user_id, Filter(text="nothing"))
    assert (len(plain), len(scanning)) == (1, 2)
    assert not any("OFFSET" in statement or "count(" in statement for statement in plain)
