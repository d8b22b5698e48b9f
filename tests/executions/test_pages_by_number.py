"""Pages of executions by number, as the wire contract has them: what they read is bounded by what the total counts."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.executions import executions
from flowforge.ids import uuid7
from tests.statements import counting_rows
from tests.stored_rows import write_runs


@pytest.mark.parametrize("sort", ["createdAt", "updatedAt", "status"])
@pytest.mark.parametrize("status", [None, "COMPLETED"])
def test_no_more_is_read_than_the_total_counts(
    engine: Engine, session: Session, user_id: UUID, monkeypatch: pytest.MonkeyPatch, sort: str, status: str | None
) -> None:
    monkeypatch.setattr(executions, "COUNT_LIMIT", 500)
    first, busy = uuid7(), uuid7()
    for workflow_id in (first, busy):
        write_runs(session, user_id, workflow_id, 3_000)
    for wanted in (None, first):
        with counting_rows(engine) as rows:
            found = executions.find(session, user_id, workflow_id=wanted, status=status, sort=sort)
        assert (found.total, len(found.executions)) == (500, 20)
        assert max(rows) <= 500


def test_another_order_than_that_of_creation_is_one_of_the_newest(
    session: Session, user_id: UUID, execution: Callable[..., UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "COUNT_LIMIT", 3)
    steps = [5, 1, 4, 2, 3]
    for minute, step in enumerate(steps):
        execution(minute, current_step=step)
    pages = [executions.find(session, user_id, sort="currentStep", page=page, size=2) for page in range(3)]
    assert [[row.current_step for row in page.executions] for page in pages] == [[4, 3], [2], []]
    assert {page.total for page in pages} == {3}
    by_creation = executions.find(session, user_id, sort="createdAt", size=5)
    assert [row.current_step for row in by_creation.executions] == steps[::-1]
