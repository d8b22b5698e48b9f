"""Calls that wait take no thread: they hold up nobody, there may be thousands, and they end with their execution."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.lone_steps import lone_steps
from tests.engine.pipeline import Pipeline, working
from tests.services.hanging import HangingReceiver, hanging_process, hanging_receiver
from tests.waiting import eventually

CALLS, AT_ONCE = 5_000, 250


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"executor_threads": 2, "step_lease_seconds": 2.0, "step_timeout_seconds": 600})


def call(receiver: HangingReceiver, **more: Any) -> dict[str, Any]:
    return {"type": "HTTP_REQUEST", "config": {"url": receiver.url}, "retry": {"attempts": 1}, **more}


def test_a_step_is_run_while_the_calls_of_fifty_other_workflows_hang(backends: Backends) -> None:
    pipeline = Pipeline(backends)
    with hanging_receiver() as receiver, working(backends):
        slow = [pipeline.workflow(call(receiver)) for _ in range(50)]
        waiting = [pipeline.accept(workflow.id) for workflow in slow for _ in range(20)]
        eventually(lambda: receiver.calling == 50 * backends.settings.workflow_concurrency)
        quick = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"a": 1}}})
        assert pipeline.finished(pipeline.accept(quick.id).event_id).status == "COMPLETED"
        assert [event for event in waiting if pipeline.over(event.event_id)] == []


def test_a_call_ends_when_its_execution_is_cancelled(backends: Backends) -> None:
    pipeline = Pipeline(backends)
    with hanging_receiver() as receiver, working(backends):
        workflow = pipeline.workflow(call(receiver))
        cancelled, other = (pipeline.accept(workflow.id) for _ in range(2))
        eventually(lambda: receiver.calling == 2)
        execution = pipeline.started(cancelled.event_id)
        pipeline.cancel(execution.id)
        eventually(lambda: receiver.left == 1)
        assert receiver.calling == 1
        assert not pipeline.over(other.event_id)
        [attempt] = pipeline.attempts(execution.id)
        assert (attempt.state, attempt.succeeded) == ("APPLIED", None)


def test_a_call_ends_at_its_time_limit_whatever_its_receiver_does(backends: Backends) -> None:
    pipeline = Pipeline(backends)
    with hanging_receiver() as receiver, working(backends):
        event = pipeline.accept(pipeline.workflow(call(receiver, timeout=1)).id)
        ended = pipeline.finished(event.event_id)
        assert ended.status == "FAILED"
        assert "did not answer in time" in str(ended.error)
        eventually(lambda: receiver.left == 1)


def test_thousands_of_calls_wait_at_once(backends: Backends) -> None:
    with hanging_process() as receiver, lone_steps(backends) as steps:
        config = {"url": receiver.url, "method": "POST", "body": {"order": 17}}
        steps.running.submit([steps.claimed("HTTP_REQUEST", config)])
        eventually(lambda: receiver.calling() == 1)
        before = psutil.Process().memory_info().rss
        for number in range(1, CALLS // AT_ONCE + 1):
            steps.running.submit([steps.claimed("HTTP_REQUEST", config) for _ in range(AT_ONCE)])
            eventually(lambda number=number: receiver.calling() == 1 + number * AT_ONCE)  # type: ignore[misc]
        grown = psutil.Process().memory_info().rss - before
    assert grown / CALLS < 25_000, "bytes for each"
