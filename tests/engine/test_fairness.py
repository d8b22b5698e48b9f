"""Workflows and accounts whose receivers hang hold some of an executor, never all of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.pipeline import Pipeline, working
from tests.waiting import eventually


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"executor_threads": 16})


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
    assert_served(pipeline, hanging_beside=pipeline, workflows=hanging)


def test_another_accounts_step_begins_however_many_workflows_of_one_hang(backends: Backends) -> None:
    assert_served(Pipeline(backends, owner=uuid4()), hanging_beside=Pipeline(backends), workflows=12)


def assert_served(modest: Pipeline, *, hanging_beside: Pipeline, workflows: int) -> None:
    """Steps begin and end while those of so many workflows hang, 40 of each."""
    quick = modest.workflow({"type": "TRANSFORM", "config": {"output": {"a": 1}}})
    with working(modest.backends), hanging_receiver() as url:
        ask = {"type": "HTTP_REQUEST", "config": {"url": url}, "retry": {"attempts": 1}}
        slow = [hanging_beside.workflow(ask) for _ in range(workflows)]
        waiting = [hanging_beside.accept(workflow.id) for workflow in slow for _ in range(40)]
        eventually(lambda: all(hanging_beside.execution(event.event_id) for event in waiting))
        done = [modest.finished(modest.accept(quick.id).event_id) for _ in range(3)]
        rows = [hanging_beside.execution(event.event_id) for event in waiting]
    assert [row for row in rows if row and row.finished_at] == []
    assert [one.status for one in done] == ["COMPLETED"] * 3


def test_an_accounts_large_messages_leave_room_for_those_of_others(backends: Backends) -> None:
    """Its own steps, so many that their data would fill the memory of the executor, wait in the table."""
    backends.settings.executor_held_bytes = 200_000
    greedy, modest = Pipeline(backends), Pipeline(backends, owner=uuid4())
    quick = modest.workflow({"type": "TRANSFORM", "config": {"output": {"a": 1}}})
    with working(backends), hanging_receiver() as url:
        config = {"url": url, "method": "POST", "body": "{{ trigger.text }}"}
        slow = greedy.workflow({"type": "HTTP_REQUEST", "config": config, "retry": {"attempts": 1}})
        waiting = [greedy.accept(slow.id, {"text": "x" * 14_000}) for _ in range(14)]
        eventually(lambda: all(greedy.execution(event.event_id) for event in waiting))
        done = [modest.finished(modest.accept(quick.id, {"text": "x" * 5_000}).event_id) for _ in range(3)]
        assert [event for event in waiting if greedy.over(event.event_id)] == []
    assert [one.status for one in done] == ["COMPLETED"] * 3
