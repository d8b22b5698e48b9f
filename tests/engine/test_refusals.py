"""A Valkey that refuses commands: consumers wait, log why, and go on when it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest
from redis import Redis

from flowforge import events
from flowforge.bus import EventBus, Message
from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.wiring import Backends
from tests.actions import transform
from tests.engine.pipeline import Pipeline, working
from tests.waiting import eventually

STREAM = f"flowforge:{events.TRIGGER_EVENTS}"
Refusal = Callable[[Redis], AbstractContextManager[None]]


@contextmanager
def of_another_kind(redis: Redis) -> Iterator[None]:
    """Something else has the name of the stream."""
    redis.delete(STREAM)
    redis.set(STREAM, "no stream")
    yield
    redis.delete(STREAM)


@contextmanager
def forbidden(redis: Redis) -> Iterator[None]:
    redis.execute_command("ACL", "SETUSER", "default", "-@stream")
    yield
    redis.execute_command("ACL", "SETUSER", "default", "+@all")


@contextmanager
def read_only(redis: Redis) -> Iterator[None]:
    redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    yield
    redis.execute_command("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize(
    ("refused", "says"), [(of_another_kind, "WRONGTYPE"), (forbidden, "no permissions"), (read_only, "read only")]
)
class TestAConsumerGoesOn:
    def test_that_could_not_join(
        self, backends: Backends, caplog: pytest.LogCaptureFixture, refused: Refusal, says: str
    ) -> None:
        pipeline = Pipeline(backends)
        workflow = pipeline.workflow()
        with ExitStack() as refusal:
            refusal.enter_context(refused(backends.redis))
            with working(backends, Orchestrator):
                eventually(lambda: says in caplog.text)
                refusal.close()
                assert pipeline.finished(pipeline.accept(workflow.id).event_id).status == "COMPLETED"

    def test_that_could_not_read(
        self, backends: Backends, caplog: pytest.LogCaptureFixture, refused: Refusal, says: str
    ) -> None:
        pipeline = Pipeline(backends)
        workflow = pipeline.workflow()
        with working(backends, Orchestrator):
            pipeline.finished(pipeline.accept(workflow.id).event_id)
            with refused(backends.redis):
                eventually(lambda: says in caplog.text)
            assert pipeline.finished(pipeline.accept(workflow.id).event_id).status == "COMPLETED"


class Choosy:
    """A bus that takes no message in which a word stands, as a broker takes none that is too large for it."""

    def __init__(self, bus: EventBus, word: bytes) -> None:
        self._bus, self._word = bus, word

    def publish(self, messages: Sequence[Message]) -> None:
        if any(self._word in message.value for message in messages):
            raise ValueError("this broker takes no such message")
        self._bus.publish(messages)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)


def test_a_step_whose_message_the_bus_does_not_take_fails_and_holds_up_no_other(backends: Backends) -> None:
    pipeline = Pipeline(backends, redelivery_grace=0.0)
    workflow = pipeline.workflow(transform(a="{{ trigger.n }}"))
    with working(backends, Orchestrator):
        accepted = [pipeline.accept(workflow.id, {"n": n}) for n in ("one", "refused", "three")]
        eventually(lambda: all(pipeline.execution(event.event_id) for event in accepted))
    backends.redis.flushall()
    backends.__dict__["bus"] = Choosy(backends.bus, b"refused")
    with working(backends, Executor, Orchestrator):
        eventually(lambda: pipeline.resend() and all(pipeline.over(event.event_id) for event in accepted))
        ends = [pipeline.finished(event.event_id) for event in accepted]
    assert [one.status for one in ends] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert "this broker takes no such message" in (ends[1].error or {})["message"]
