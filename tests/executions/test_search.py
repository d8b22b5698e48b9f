"""Looking through executions: what is found, and that pages follow each other without gap or repeat."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from flowforge.errors import Invalid
from flowforge.execution.state import Status
from flowforge.executions.search import Filter, Found, Position, search
from flowforge.ids import uuid7
from tests.statements import counting_rows
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


def test_a_search_that_gives_up_goes_on_upwards_where_the_oldest_come_first(
    session: Session, user_id: UUID, execution: Execution
) -> None:
    for minute in range(7):
        execution(minute)
    needle = execution(7, error={"message": "needle"})
    first = search(session, user_id, Filter(text="needle"), scanned=5, oldest_first=True)
    assert (ids(first), first.searched_to) == ([], NOON + timedelta(minutes=4))
    second = search(session, user_id, Filter(text="needle"), first.newer, scanned=5, oldest_first=True)
    assert (ids(second), second.searched_to) == ([needle], None)


def test_a_rare_status_is_looked_for_as_a_text_is(session: Session, user_id: UUID, execution: Execution) -> None:
    completed = execution(0)
    for minute in range(1, 8):
        execution(minute, status="FAILED")
    first = search(session, user_id, Filter(status=Status.COMPLETED), scanned=5)
    assert (ids(first), first.searched_to) == ([], NOON + timedelta(minutes=3))
    assert ids(search(session, user_id, Filter(status=Status.COMPLETED), first.older, scanned=5)) == [completed]


class TestRowsLookedAt:
    """A page takes as many rows out of the table as it shows, or as a scan may look at: never those of the history."""

    RUNS = 6_000
    BUSY, FAILING = UUID(int=7), UUID(int=8)

    @pytest.fixture(autouse=True)
    def history(self, session: Session, user_id: UUID) -> None:
        """Nothing of the busy workflow has failed but its first run; the failing one has succeeded once, long ago."""
        session.execute(
            text(
                """
                INSERT INTO orchestrator.workflow_executions
                    (workflow_id, user_id, status, current_step, trigger_type, created_at)
                SELECT CASE n % 2 WHEN 0 THEN CAST(:busy AS uuid) ELSE CAST(:failing AS uuid) END, :user,
                       CASE WHEN n = :runs THEN 'FAILED' WHEN n % 2 = 0 OR n = :runs - 1 THEN 'COMPLETED'
                            WHEN n % 10 = 1 THEN 'CANCELLED' ELSE 'FAILED' END,
                       0, 'webhook', :noon - n * interval '1 second'
                FROM generate_series(1, :runs) AS n
                """
            ),
            {"busy": self.BUSY, "failing": self.FAILING, "user": user_id, "runs": self.RUNS, "noon": NOON},
        )
        session.commit()
        session.execute(text("ANALYZE orchestrator.workflow_executions"))
        session.commit()

    @pytest.mark.parametrize(
        "wanted",
        [
            Filter(),
            Filter(workflow_id=BUSY),
            Filter(status=Status.FAILED),
            Filter(status=Status.CANCELLED),
            Filter(status=Status.RUNNING),
            Filter(status=Status.FAILED, workflow_id=BUSY),
            Filter(status=Status.CANCELLED, workflow_id=FAILING),
            Filter(until=NOON - timedelta(minutes=90)),
        ],
    )
    @pytest.mark.parametrize("oldest_first", [False, True])
    def test_what_an_index_answers_is_all_that_is_read(
        self, engine: Engine, session: Session, user_id: UUID, wanted: Filter, oldest_first: bool
    ) -> None:
        with counting_rows(engine) as rows:
            search(session, user_id, wanted, size=25, oldest_first=oldest_first)
        assert max(rows) <= 26

    @pytest.mark.parametrize(
        "wanted",
        [
            Filter(text="nothing"),
            Filter(trigger_type="email"),
            Filter(status=Status.COMPLETED, workflow_id=FAILING),
            Filter(text="nothing", status=Status.FAILED, workflow_id=FAILING),
        ],
    )
    def test_a_scan_ends_after_its_number(
        self, engine: Engine, session: Session, user_id: UUID, wanted: Filter
    ) -> None:
        with counting_rows(engine) as rows:
            assert search(session, user_id, wanted, scanned=500).rows == []
        assert max(rows) == 500

    def test_a_scan_ends_with_a_full_page(self, engine: Engine, session: Session, user_id: UUID) -> None:
        with counting_rows(engine) as rows:
            assert len(search(session, user_id, Filter(trigger_type="webhook"), size=25).rows) == 25
        assert rows == [26]


@pytest.mark.parametrize("written", ["", "x", "<12", "=1-" + str(UUID(int=0))])
def test_what_is_no_position_is_refused(written: str) -> None:
    with pytest.raises(Invalid):
        Position.parse(written)


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
