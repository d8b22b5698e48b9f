"""The loop of an executor's steps: places come back once and not too early, nothing begins that was let go."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector
from flowforge.engine import running_steps
from flowforge.engine.fair_queue import Admission
from flowforge.engine.running_steps import Kind, WantedStep
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.lone_steps import LoneSteps, lone_steps
from tests.waiting import eventually

CALLS, THREADS = 2, 1


class Config(ConnectorConfig):
    pass


class Hanging:
    """A connector that is a coroutine function, and one that is not: they end when they are let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let_go = threading.Event()

        @connector("CALL", Config, title="Call", help="Hangs.", icon="alert")
        async def call(config: Config, context: StepContext) -> dict[str, Any]:
            self.begun.append("CALL")
            while not self.let_go.is_set():
                await asyncio.sleep(0.01)
            return {}

        @connector("FUNCTION", Config, title="Function", help="Hangs.", icon="alert")
        def function(config: Config, context: StepContext) -> dict[str, Any]:
            self.begun.append("FUNCTION")
            self.let_go.wait(30)
            return {}

        self.catalog = Catalog({one.type: one for one in (call, function)}, {})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"executor_calls": CALLS, "executor_threads": THREADS})


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.let_go.set()


@pytest.fixture
def steps(backends: Backends, hanging: Hanging) -> Iterator[LoneSteps]:
    with lone_steps(backends, hanging.catalog) as steps:
        yield steps


def free(steps: LoneSteps) -> dict[str, int]:
    """The places of each kind that steps of other accounts would get now."""
    return {kind: _newcomers_that_begin(steps, kind) for kind in ("call", "thread")}


def _newcomers_that_begin(steps: LoneSteps, kind: Kind) -> int:
    newcomers = [WantedStep((uuid4(), uuid4()), kind) for _ in range(CALLS + THREADS)]
    return steps.running.admit(newcomers).count(Admission.BEGINS)


def test_a_step_that_is_cancelled_before_it_begins_gives_its_place_back(steps: LoneSteps, hanging: Hanging) -> None:
    step = steps.claimed("CALL", {})

    def submit_and_cancel() -> None:
        steps.running.submit([step])
        steps.running.cancel([step.key])

    steps.running._loop.call_soon_threadsafe(submit_and_cancel)
    eventually(lambda: free(steps) == {"call": CALLS, "thread": THREADS} and not steps.held.all())
    assert not steps.running._tasks
    assert hanging.begun == []


@pytest.mark.parametrize("cancels", [1, 2, 3])
def test_a_function_keeps_its_place_until_it_ends_however_often_it_is_cancelled(
    steps: LoneSteps, hanging: Hanging, cancels: int
) -> None:
    step, next_ = steps.claimed("FUNCTION", {}), steps.claimed("FUNCTION", {})
    steps.running.submit([step, next_])
    eventually(lambda: hanging.begun == ["FUNCTION"])
    for _ in range(cancels):
        steps.running.cancel([step.key])
        _turn_loop(steps)
    assert free(steps)["thread"] == 0
    assert hanging.begun == ["FUNCTION"]
    hanging.let_go.set()
    eventually(lambda: hanging.begun == ["FUNCTION"] * 2 and free(steps)["thread"] == THREADS)


def test_a_function_that_is_late_and_cancelled_keeps_its_place_and_has_one_result(
    steps: LoneSteps, hanging: Hanging
) -> None:
    step = steps.claimed("FUNCTION", {})
    steps.running.submit([step])
    eventually(lambda: hanging.begun == ["FUNCTION"])
    [life] = steps.running._tasks.values()
    life.late_at = 0.0
    eventually(lambda: steps.errors() == ["the step did not end within its time limit"])
    assert [result.started_at for result in steps.collected.results] == [life.began]
    steps.running.cancel([step.key])
    _turn_loop(steps)
    assert free(steps)["thread"] == 0
    hanging.let_go.set()
    eventually(lambda: free(steps)["thread"] == THREADS)
    assert len(steps.errors()) == 1


def test_what_was_let_go_does_not_begin_though_postgresql_says_that_it_may(steps: LoneSteps, hanging: Hanging) -> None:
    steps.running.submit([steps.claimed("CALL", {}, is_noted=False)])
    eventually(lambda: free(steps)["call"] == CALLS - 1)
    steps.running.stop()
    assert len(steps.held.let_go_unbegun()) == 1
    steps.collected.beginning.set_result(True)
    eventually(lambda: free(steps)["call"] == CALLS)
    assert hanging.begun == []


def test_draining_ends_when_all_has_ended_and_hands_in_its_results(steps: LoneSteps, hanging: Hanging) -> None:
    steps.running.submit([steps.claimed("CALL", {}), steps.claimed("FUNCTION", {})])
    eventually(lambda: sorted(hanging.begun) == ["CALL", "FUNCTION"])
    steps.running.stop()
    hanging.let_go.set()
    steps.running.drain(30)
    assert steps.errors() == ["", ""]


def test_draining_ends_though_the_loop_does_not_answer(
    steps: LoneSteps, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(running_steps, "_OVERTIME_SECONDS", 0.05)
    answers = threading.Event()
    steps.running._loop.call_soon_threadsafe(answers.wait, 30)
    steps.running.drain(0)
    answers.set()
    assert "does not answer" in caplog.text


def test_closing_ends_calls_and_leaves_functions_alone(backends: Backends, hanging: Hanging) -> None:
    with lone_steps(backends, hanging.catalog) as steps:
        steps.running.submit([steps.claimed("CALL", {}), steps.claimed("FUNCTION", {})])
        eventually(lambda: sorted(hanging.begun) == ["CALL", "FUNCTION"])
    assert steps.errors() == []


def test_what_comes_after_the_end_changes_nothing(backends: Backends, hanging: Hanging) -> None:
    with lone_steps(backends, hanging.catalog) as steps:
        pass
    step = steps.claimed("CALL", {})
    steps.running.submit([step])
    steps.running.cancel([step.key])
    steps.running.drain(0)
    steps.running.close()
    assert hanging.begun == []


def test_errors_that_nobody_handles_are_logged_without_their_text(
    steps: LoneSteps, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(address: str) -> None:
        raise ValueError(address)

    steps.running._loop.call_soon_threadsafe(fail, "https://key@receiver.example/")
    eventually(lambda: "ValueError" in caplog.text)
    assert "receiver.example" not in caplog.text


def _turn_loop(steps: LoneSteps) -> None:
    """Returns when the loop has done what it had to do by now."""
    for _ in range(3):
        turned = threading.Event()
        steps.running._loop.call_soon_threadsafe(turned.set)
        assert turned.wait(30)
    time.sleep(0.05)
