"""An executor that is told to stop: what runs ends, what has not begun is somebody else's at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pytest_httpserver import HTTPServer

from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.settings import Settings
from tests.engine.pipeline import Pipeline, working
from tests.engine.test_executor_threads import Receiver, states
from tests.waiting import eventually
from workers.runner import Runner


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"executor_calls": 1, "executor_threads": 1, "drain_seconds": 20})


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@contextmanager
def stopping_executor(pipeline: Pipeline, receiver: Receiver, events: int) -> Iterator[threading.Thread]:
    """It was told to stop while it calls the receiver, and has more to do than that."""
    workflow = pipeline.workflow(receiver.call)
    told = threading.Event()
    thread = threading.Thread(target=Runner(pipeline.backends, Executor(pipeline.backends), told).run)
    with working(pipeline.backends, Orchestrator):
        thread.start()
        for _ in range(events):
            pipeline.accept(workflow.id)
        assert receiver.called.wait(20)
        eventually(lambda: len(states(pipeline)) == events)
        told.set()
        try:
            yield thread
        finally:
            receiver.answer.set()
            thread.join(30)


def test_a_running_call_ends_and_is_made_once(pipeline: Pipeline, receiver: Receiver, httpserver: HTTPServer) -> None:
    with stopping_executor(pipeline, receiver, events=1) as thread:
        receiver.answer.set()
        thread.join(30)
        assert not thread.is_alive()
        eventually(lambda: states(pipeline) == ["APPLIED"])
    assert len(httpserver.log) == 1


def test_what_has_not_begun_is_given_back_while_it_still_drains(pipeline: Pipeline, receiver: Receiver) -> None:
    with stopping_executor(pipeline, receiver, events=3) as thread:
        eventually(lambda: sorted(states(pipeline)) == ["QUEUED", "QUEUED", "RUNNING"])
        assert thread.is_alive()
