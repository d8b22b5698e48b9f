"""A session on the database, a user's executions, and a count of the statements something takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, Workflow
from flowforge.ids import uuid7
from tests.statements import counting_statements

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture
def user_id() -> UUID:
    return uuid7()


@pytest.fixture
def workflow(session: Session, user_id: UUID) -> Callable[..., Workflow]:
    def make(name: str = "Orders", **columns: Any) -> Workflow:
        row = Workflow(**{"name": name, "user_id": user_id, "enabled": True, **columns})
        session.add(row)
        session.commit()
        return row

    return make


@pytest.fixture
def execution(session: Session, user_id: UUID) -> Callable[..., UUID]:
    """`minutes` after noon."""

    def make(minutes: float = 0, **columns: Any) -> UUID:
        defaults = {"workflow_id": UUID(int=1), "user_id": user_id, "status": "COMPLETED", "current_step": 0}
        row = ExecutionRow(**{**defaults, "created_at": NOON + timedelta(minutes=minutes), **columns})
        session.add(row)
        session.commit()
        return row.id

    return make


def write_runs(session: Session, user_id: UUID, workflow_id: UUID, number: int) -> None:
    """Completed executions, the first at noon, one a second: so many that PostgreSQL chooses indexes as for a long
    history."""
    session.execute(
        text(
            """
            INSERT INTO orchestrator.workflow_executions (workflow_id, user_id, status, current_step, created_at)
            SELECT :workflow, :user, 'COMPLETED', 0, :noon + n * interval '1 second'
            FROM generate_series(1, :number) AS n
            """
        ),
        {"workflow": workflow_id, "user": user_id, "noon": NOON, "number": number},
    )
    session.commit()
    session.execute(text("ANALYZE orchestrator.workflow_executions"))
    session.commit()


@pytest.fixture
def statements(engine: Engine) -> Callable[[], AbstractContextManager[list[str]]]:
    """Those that are sent inside the block."""
    return partial(counting_statements, engine)
