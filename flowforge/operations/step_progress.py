"""How far each step of an execution is: figures over all its attempts, and the newest attempts themselves.

A loop makes thousands of attempts: what is loaded stays bounded, and it is two statements whatever there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, distinct, func, select
from sqlalchemy.orm import Session, aliased

from flowforge.db.tables import AttemptState, StepAttempt

SHOWN = 20
"""Attempts of one step."""


@dataclass(frozen=True, slots=True)
class StepFigures:
    """Over all attempts of one step. `runs` is more than one inside a loop."""

    index: int
    runs: int
    attempts: int
    succeeded: int
    failed: int
    under_way: int
    started_at: datetime | None
    finished_at: datetime | None
    """Of the last one that ended."""


def figures(session: Session, execution_id: UUID) -> dict[int, StepFigures]:
    """By step index."""
    open_states = (AttemptState.QUEUED, AttemptState.RUNNING)
    rows = session.execute(
        select(
            StepAttempt.step_index,
            func.count(distinct(StepAttempt.iteration)),
            func.count(),
            func.count(case((StepAttempt.succeeded.is_(True), 1))),
            func.count(case((StepAttempt.succeeded.is_(False), 1))),
            func.count(case((StepAttempt.state.in_(open_states), 1))),
            func.min(StepAttempt.started_at),
            func.max(StepAttempt.finished_at),
        )
        .where(StepAttempt.execution_id == execution_id)
        .group_by(StepAttempt.step_index)
    )
    return {row[0]: StepFigures(*row) for row in rows}


def newest_attempts(session: Session, execution_id: UUID) -> dict[int, Sequence[StepAttempt]]:
    """By step index the last SHOWN of each, in the order they were made."""
    place = func.row_number().over(
        partition_by=StepAttempt.step_index, order_by=(StepAttempt.iteration.desc(), StepAttempt.attempt.desc())
    )
    ranked = select(StepAttempt, place.label("place")).where(StepAttempt.execution_id == execution_id).subquery()
    attempt = aliased(StepAttempt, ranked)
    found: dict[int, list[StepAttempt]] = {}
    for row in session.scalars(
        select(attempt).where(ranked.c.place <= SHOWN).order_by(attempt.step_index, attempt.iteration, attempt.attempt)
    ):
        found.setdefault(row.step_index, []).append(row)
    return dict(found)
