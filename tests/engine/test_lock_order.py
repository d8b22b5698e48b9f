"""Locks are taken in one order, executions before their attempts: two orchestrators never wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, text

from flowforge.db import attempts_store, going_on_store, timers_store, waits_store
from flowforge.db.attempt_rows import Lease
from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.settings import Settings
from tests.actions import transform
from tests.engine.going_on import completed
from tests.engine.pipeline import Pipeline, working
from tests.services.hanging import hanging_receiver
from tests.waiting import eventually

Take = Callable[[Connection, int], list[Any]]

WAITING: dict[str, Any] = {"type": "WAIT", "config": {"seconds": 3600}}
RETRIED = {
    "type": "HTTP_REQUEST",
    "config": {"url": "http://127.0.0.1:1/"},
    "retry": {"attempts": 3, "delay": 3600},
}
_DUE = "UPDATE orchestrator.step_attempts SET due_at = now() WHERE state IN ('WAITING', 'QUEUED') AND due_at > now()"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"step_lease_seconds": 1.0})


@pytest.fixture(params=[(WAITING, waits_store.end_due_waits), (RETRIED, timers_store.take_due_retries)])
def take_due(request: pytest.FixtureRequest, pipeline: Pipeline) -> Take:
    """The function, while an attempt is due that it takes."""
    step, take = request.param
    pipeline.accept(pipeline.workflow(step).id)
    with working(pipeline.backends, Orchestrator, Executor):
        eventually(lambda: _rests(pipeline))
    with pipeline.backends.engine.begin() as connection:
        connection.execute(text(_DUE))
    return take


def _rests(pipeline: Pipeline) -> bool:
    with pipeline.backends.engine.connect() as connection:
        return (
            connection.execute(
                text("SELECT count(*) FROM orchestrator.step_attempts WHERE due_at > now() + interval '1 minute'")
            ).scalar_one()
            == 1
        )


def test_what_is_due_of_an_execution_that_is_being_worked_on_is_passed_over(pipeline: Pipeline, take_due: Take) -> None:
    engine = pipeline.backends.engine
    with engine.connect() as other, engine.connect() as ours:
        other.execute(text("SELECT FROM orchestrator.workflow_executions FOR UPDATE"))
        assert take_due(ours, 10) == []
        ours.rollback()
        other.rollback()
        assert len(take_due(ours, 10)) == 1


def test_what_is_due_holds_its_execution(pipeline: Pipeline, take_due: Take) -> None:
    engine = pipeline.backends.engine
    with engine.connect() as other, engine.connect() as ours:
        assert len(take_due(ours, 10)) == 1
        free = "SELECT count(*) FROM (SELECT FROM orchestrator.workflow_executions FOR UPDATE SKIP LOCKED) AS free"
        assert other.execute(text(free)).scalar_one() == 0


def test_executions_that_go_on_together_are_locked_in_the_order_of_their_ids(pipeline: Pipeline) -> None:
    """Like those that somebody cancels together, who has the first and wants the second here."""
    workflow, engine = pipeline.workflow(transform(a=1)), pipeline.backends.engine
    with working(pipeline.backends, Orchestrator):
        first, second = sorted(pipeline.started(pipeline.accept(workflow.id).event_id).id for _ in range(2))
    pipeline.change_attempts("state = 'RUNNING', lease_owner = 'executor'")
    lease, gone_on = Lease("executor", seconds=10), [completed(second), completed(first)]
    lock = text("SELECT FROM orchestrator.workflow_executions WHERE id = :id FOR UPDATE")
    with ThreadPoolExecutor() as thread, engine.begin() as canceller:
        canceller.execute(lock, {"id": first})
        going_on = thread.submit(going_on_store.go_on, engine, lease, gone_on)
        eventually(lambda: _somebody_waits_for_a_lock(pipeline))
        canceller.execute(lock, {"id": second})
        canceller.rollback()
        assert going_on.result(30) == {first: True, second: True}


def _somebody_waits_for_a_lock(pipeline: Pipeline) -> bool:
    with pipeline.backends.engine.connect() as connection:
        return bool(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())


def test_rows_of_held_attempts_are_changed_by_one_transaction_at_a_time(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat, results and what is given back lock the same rows, each in an order of its own."""
    executor = Executor(pipeline.backends)
    alone: dict[str, bool] = {}

    def watched(name: str) -> None:
        change = getattr(attempts_store, name)

        def noting(*args: Any, **more: Any) -> Any:
            alone[name] = executor._held.rows.locked()
            return change(*args, **more)

        monkeypatch.setattr(attempts_store, name, noting)

    for name in ("drop_cancelled", "extend_leases", "hand_in", "give_back"):
        watched(name)
    with hanging_receiver() as receiver:
        call = {"type": "HTTP_REQUEST", "config": {"url": receiver.url}, "timeout": 1, "retry": {"attempts": 1}}
        workflow = pipeline.workflow(call)
        with working(pipeline.backends, Orchestrator, lambda _: executor):
            for _ in range(pipeline.backends.settings.workflow_concurrency + 1):
                pipeline.accept(workflow.id)
            eventually(lambda: {"drop_cancelled", "extend_leases", "hand_in"} <= alone.keys())
            for _ in range(pipeline.backends.settings.workflow_concurrency + 1):
                pipeline.accept(workflow.id)
            eventually(lambda: len(executor._held) > pipeline.backends.settings.workflow_concurrency)
    assert alone == dict.fromkeys(("drop_cancelled", "extend_leases", "hand_in", "give_back"), True)
