"""The executor's own threads: results are always handed in, or the process ends; leases are kept for what is held."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from redis import Redis
from sqlalchemy import text
from werkzeug import Request, Response

from flowforge.engine import executor
from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.pipeline import Pipeline, working
from tests.engine.test_poison import refusing, transform
from tests.waiting import eventually
from workers.runner import Runner

HANDED_IN = {"concurrency": {"limit": 100}}
"""Settings of a workflow whose results the orchestrator takes (flowforge.engine.going_on)."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"step_lease_seconds": 1.0})


@pytest.fixture
def redelivery_grace() -> float:
    return 0.0


def test_a_bus_that_is_full_loses_no_result(pipeline: Pipeline, httpserver: HTTPServer, redis_url: str) -> None:
    receiver = Receiver(httpserver)
    workflow = pipeline.workflow(receiver.call, settings=HANDED_IN)
    with working(pipeline.backends, Orchestrator):
        first = pipeline.accept(workflow.id)
        pipeline.started(first.event_id)
    with working(pipeline.backends, Executor):
        assert receiver.called.wait(20)
        with full(redis_url):
            receiver.answer.set()
            eventually(lambda: states(pipeline) == ["ENDED"])
        second = pipeline.accept(workflow.id)
        with working(pipeline.backends, Orchestrator):
            eventually(lambda: pipeline.resend() and pipeline.execution(first.event_id).status == "COMPLETED")  # type: ignore[union-attr]
            assert pipeline.finished(second.event_id).status == "COMPLETED"


def test_a_result_that_cannot_be_stored_is_a_failure_and_the_others_are_handed_in(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(a="{{ trigger.n }}"), settings=HANDED_IN)
    what, condition = "UPDATE ON orchestrator.step_attempts", "NEW.output->>'a' = '0'"
    with refusing(pipeline.backends, what, condition), working(pipeline.backends):
        accepted = [pipeline.accept(workflow.id, {"n": n}) for n in range(5)]
        ends = [pipeline.finished(event.event_id) for event in accepted]
    assert [one.status for one in ends] == ["FAILED"] + ["COMPLETED"] * 4
    assert ends[0].error is not None
    assert "its result could not be stored" in ends[0].error["message"]


def test_an_executor_that_cannot_hand_in_ends_and_its_lease_runs_out(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(a=1), settings=HANDED_IN)
    backends, died = pipeline.backends, threading.Event()

    def run() -> None:
        with pytest.raises(RuntimeError, match="a thread of the executor died"):
            Runner(backends, Executor(backends), threading.Event()).run()
        died.set()

    with working(backends, Orchestrator):
        event = pipeline.accept(workflow.id)
        pipeline.started(event.event_id)
        with refusing(backends, "UPDATE ON orchestrator.step_attempts", "NEW.state = 'ENDED'"):
            threading.Thread(target=run).start()
            assert died.wait(30)
        assert states(pipeline) == ["RUNNING"]
        with working(backends, Executor):
            eventually(lambda: pipeline.resend() and pipeline.execution(event.event_id).status == "COMPLETED")  # type: ignore[union-attr]


def test_an_executor_whose_loop_stands_still_ends_so_that_others_take_its_steps(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_STANDSTILL_SECONDS", 0.5)
    died, goes_on = threading.Event(), threading.Event()
    backends.settings.drain_seconds = 0

    def run() -> None:
        runs = Executor(backends)
        runs._steps._loop.call_soon_threadsafe(goes_on.wait, 30)
        with pytest.raises(RuntimeError, match="a thread of the executor died") as raised:
            Runner(backends, runs, threading.Event()).run()
        assert "stands still" in str(raised.value.__cause__)
        died.set()

    threading.Thread(target=run).start()
    try:
        assert died.wait(30)
    finally:
        goes_on.set()


def test_a_claim_whose_commit_was_not_answered_runs_out(pipeline: Pipeline) -> None:
    """It stands there under a living owner who does not know of it."""
    workflow = pipeline.workflow(transform(a=1))
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(workflow.id)
        pipeline.started(event.event_id)
    pipeline.backends.redis.flushall()
    executor = Executor(pipeline.backends)
    try:
        with pipeline.backends.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE orchestrator.step_attempts SET state = 'RUNNING', claims = 1, lease_owner = :owner,"
                    " lease_until = now() + interval '1 second'"
                ),
                {"owner": executor._owner},
            )
        eventually(lambda: pipeline.resend().leases == 1)
    finally:
        executor.stop()
    with working(pipeline.backends):
        assert pipeline.finished(event.event_id).status == "COMPLETED"


def test_what_is_held_is_held_beyond_its_first_lease(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    receiver = Receiver(httpserver)
    workflow = pipeline.workflow(receiver.call)
    with working(pipeline.backends):
        event = pipeline.accept(workflow.id)
        assert receiver.called.wait(20)
        first = lease_end(pipeline)
        eventually(lambda: lease_end(pipeline) > first + timedelta(seconds=2))
        assert pipeline.resend().leases == 0
        receiver.answer.set()
        assert pipeline.finished(event.event_id).status == "COMPLETED"


class Receiver:
    """Answers the `call` of a workflow once `answer` is set."""

    def __init__(self, server: HTTPServer) -> None:
        self.called, self.answer = threading.Event(), threading.Event()
        self.call = {"type": "HTTP_REQUEST", "config": {"url": server.url_for("/")}}
        server.expect_request("/").respond_with_handler(self._answer)

    def _answer(self, _request: Request) -> Response:
        self.called.set()
        self.answer.wait(30)
        return Response("{}")


@contextmanager
def full(redis_url: str) -> Iterator[None]:
    """Valkey refuses what would take memory."""
    with Redis.from_url(redis_url) as redis:
        before = redis.config_get("maxmemory")["maxmemory"]
        redis.config_set("maxmemory", "1")
        try:
            yield
        finally:
            redis.config_set("maxmemory", before)


def states(pipeline: Pipeline) -> list[str]:
    with pipeline.backends.engine.connect() as connection:
        return list(connection.execute(text("SELECT state FROM orchestrator.step_attempts")).scalars())


def lease_end(pipeline: Pipeline) -> datetime:
    with pipeline.backends.engine.connect() as connection:
        moment: datetime = connection.execute(text("SELECT lease_until FROM orchestrator.step_attempts")).scalar_one()
        return moment
