"""Executions that are ended from outside leave nothing queued: it would be given out, and refused, for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from flowforge.db import ending_store
from flowforge.engine.orchestrator import Orchestrator
from tests.actions import transform
from tests.engine.pipeline import Pipeline, working
from tests.waiting import eventually

End = Callable[[Connection, Iterable[UUID]], list[Any]]

NEXT_ATTEMPT = """
    INSERT INTO orchestrator.step_attempts (execution_id, step_index, iteration, attempt, workflow_id, state, due_at)
    SELECT execution_id, step_index, iteration, attempt + 1, workflow_id, 'QUEUED', now()
    FROM orchestrator.step_attempts
"""


def fail(connection: Connection, execution_ids: Iterable[UUID]) -> list[Any]:
    return ending_store.fail(connection, execution_ids, "it cannot go on")


@pytest.mark.parametrize("end", [ending_store.cancel, fail])
def test_an_attempt_that_was_made_while_the_end_waited_for_the_lock(pipeline: Pipeline, end: End) -> None:
    execution_id, engine = _running(pipeline), pipeline.backends.engine

    def end_it() -> None:
        with engine.begin() as connection:
            end(connection, [execution_id])

    ending = threading.Thread(target=end_it)
    with engine.begin() as orchestrator:
        orchestrator.execute(text("SELECT FROM orchestrator.workflow_executions FOR UPDATE"))
        ending.start()
        eventually(lambda: _somebody_waits_for_a_lock(engine))
        orchestrator.execute(text(NEXT_ATTEMPT))
    ending.join()
    assert _states(pipeline, execution_id) == ["APPLIED", "APPLIED"]


@pytest.mark.parametrize("claims", [0, 1])
def test_an_attempt_whose_executor_died_afterwards(pipeline: Pipeline, claims: int) -> None:
    event = pipeline.held_by_a_dead_executor(transform(a=1), claims=claims)
    execution_id = pipeline.started(event.event_id).id
    with pipeline.backends.engine.begin() as connection:
        ending_store.cancel(connection, [execution_id])
    with working(pipeline.backends):
        eventually(lambda: pipeline.resend() and _states(pipeline, execution_id) == ["APPLIED"])


def test_one_that_was_sent_and_never_claimed(pipeline: Pipeline) -> None:
    execution_id = _running(pipeline)
    with pipeline.backends.engine.begin() as connection:
        ending_store.cancel(connection, [execution_id])
    pipeline.change_attempts("state = 'QUEUED', sent_at = now() - interval '1 hour'")
    pipeline.resend()
    assert _states(pipeline, execution_id) == ["APPLIED"]


def _running(pipeline: Pipeline) -> UUID:
    event = pipeline.accept(pipeline.workflow(transform(a=1)).id)
    with working(pipeline.backends, Orchestrator):
        started: UUID = pipeline.started(event.event_id).id
    return started


def _somebody_waits_for_a_lock(engine: Engine) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with engine.connect() as connection:
        return bool(connection.execute(text(waiting)).scalar_one())


def _states(pipeline: Pipeline, execution_id: UUID) -> list[str]:
    return [attempt.state for attempt in pipeline.attempts(execution_id)]
