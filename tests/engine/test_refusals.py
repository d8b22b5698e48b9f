"""A Valkey that refuses commands: consumers wait, log why, and go on when it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
from redis import Redis

from flowforge import events
from flowforge.engine.orchestrator import Orchestrator
from flowforge.wiring import Backends
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
