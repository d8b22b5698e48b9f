"""Workflows whose receivers hang hold some of an executor, never all of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.pipeline import Pipeline, working
from tests.waiting import eventually


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"executor_threads": 8})


@contextmanager
def hanging_receiver() -> Iterator[str]:
    """Takes every connection and says nothing on it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.close()


@pytest.mark.parametrize("hanging", [1, 2, 3])
def test_another_workflows_step_begins_while_hanging_ones_hold_their_shares(backends: Backends, hanging: int) -> None:
    pipeline = Pipeline(backends)
    quick = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"a": 1}}})
    with working(backends), hanging_receiver() as url:
        ask = {"type": "HTTP_REQUEST", "config": {"url": url}, "retry": {"attempts": 1}}
        slow = [pipeline.workflow(ask) for _ in range(hanging)]
        waiting = [pipeline.accept(workflow.id) for workflow in slow for _ in range(40)]
        eventually(lambda: all(pipeline.execution(event.event_id) for event in waiting))
        done = [pipeline.finished(pipeline.accept(quick.id).event_id) for _ in range(3)]
        unfinished = [row for event in waiting if (row := pipeline.execution(event.event_id)) and not row.finished_at]
        assert len(unfinished) == len(waiting)
    assert [one.status for one in done] == ["COMPLETED"] * 3
