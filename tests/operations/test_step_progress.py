"""How far each step is, also when a loop made thousands of attempts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.db.tables import StepAttempt
from flowforge.operations.step_progress import SHOWN, figures, newest_attempts
from tests.operations.conftest import NOON


def attempt(execution_id: UUID, step: int, iteration: int = 0, number: int = 1, **columns: Any) -> StepAttempt:
    return StepAttempt(
        **{
            "execution_id": execution_id,
            "workflow_id": UUID(int=1),
            "step_index": step,
            "iteration": iteration,
            "attempt": number,
            "state": "APPLIED",
            "succeeded": True,
            "due_at": NOON,
            "started_at": NOON + timedelta(seconds=iteration),
            "finished_at": NOON + timedelta(seconds=iteration + 1),
            **columns,
        }
    )


def test_a_loop_is_summed_up_and_only_its_newest_attempts_are_loaded(
    session: Session,
    execution: Callable[..., UUID],
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    run = execution()
    session.add(attempt(run, 0))
    session.add_all(attempt(run, 1, iteration) for iteration in range(60))
    session.add(attempt(run, 1, 60, succeeded=False))
    session.add(attempt(run, 1, 60, 2, state="QUEUED", succeeded=None, started_at=None, finished_at=None))
    session.commit()
    with statements() as sent:
        found, newest = figures(session, run), newest_attempts(session, run)
    assert len(sent) == 2
    assert (found[1].runs, found[1].attempts, found[1].succeeded, found[1].failed, found[1].under_way) == (
        61,
        62,
        60,
        1,
        1,
    )
    assert (found[1].started_at, found[1].finished_at) == (NOON, NOON + timedelta(seconds=61))
    assert len(newest[0]) == 1
    assert [(one.iteration, one.attempt) for one in newest[1]][-2:] == [(60, 1), (60, 2)]
    assert len(newest[1]) == SHOWN
