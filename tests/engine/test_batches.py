"""Batches are bounded by bytes and frames; one that does not pass is halved until the message is found."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy.orm import Session

from flowforge.bus import Delivery
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import Connector, ConnectorConfig, StepContext, connector
from flowforge.db import held_executions_store, redelivery_store, waits_store
from flowforge.db.engine import rehearsal
from flowforge.db.tables import DeadLetter
from flowforge.engine import execution_batch
from flowforge.engine.batches import bounded_batches
from flowforge.engine.consumer import Received
from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.engine.running_steps import ClaimedStep
from flowforge.errors import TooMuchAtOnce
from flowforge.events import EXECUTION_RESULT, TRIGGER_EVENTS, ExecutionResult, TriggerEvent
from flowforge.ids import uuid7
from flowforge.wiring import Backends
from tests.actions import transform
from tests.engine.pipeline import Pipeline, working
from tests.engine.test_limits import received
from tests.engine.test_poison import refusing
from tests.waiting import eventually
from workers.runner import Runner


def message(value: int, **more: Any) -> Received:
    id_ = uuid7()
    event = TriggerEvent.model_validate(
        {"eventId": id_, "workflowId": id_, "userId": id_, "triggerType": "webhook", "timestamp": 0, **more}
    )
    return Received(Delivery(TRIGGER_EVENTS, "", b"x" * value, ""), event)


@pytest.mark.parametrize(
    ("messages", "loaded", "batches"),
    [
        ([message(40)] * 5, True, [2, 2, 1]),
        ([message(500), message(10), message(10)], True, [1, 2]),
        ([message(10, byReference=True, bytes=80)] * 3, True, [1, 1, 1]),
        ([message(10, byReference=True)] * 3, True, [1, 1, 1]),
        ([message(10, byReference=True, bytes=80)] * 3, False, [3]),
        ([], True, []),
    ],
    ids=["small", "a large one", "by reference", "of unknown size", "not loaded", "none"],
)
def test_a_batch_has_no_more_bytes_than_are_handled_at_once(
    messages: Sequence[Received], loaded: bool, batches: list[int]
) -> None:
    assert [len(batch) for batch in bounded_batches(messages, loaded=loaded, most_bytes=100)] == batches


class Picky:
    """Handles what it is given, but for one message, and never more than so many at once."""

    name, group, topics, patience, pace, loads_references = "picky", "picky", (TRIGGER_EVENTS,), 0.1, 0.0, True

    def __init__(self, error: Exception | None = None, at_most: int = 1000) -> None:
        self.error, self.at_most = error, at_most
        self.refused: UUID | None = None
        self.handled: list[UUID] = []
        self.tries = 0

    def handle(self, received: Sequence[Received]) -> None:
        self.tries += 1
        ids = [one.message.event_id for one in received]  # type: ignore[attr-defined]
        if len(ids) > self.at_most:
            raise TooMuchAtOnce("too many")
        if self.error is not None and self.refused in ids:
            raise self.error
        self.handled += ids

    def give_up(self, _connection: Any, _message: Any, _error: Exception) -> Any:
        raise RuntimeError("nothing to end")


def handled_by(backends: Backends, picky: Picky, count: int) -> list[UUID]:
    runner = Runner(backends, picky, threading.Event())  # type: ignore[arg-type]
    messages = [message(1) for _ in range(count)]
    ids = [one.message.event_id for one in messages]  # type: ignore[attr-defined]
    picky.refused = ids[count // 3]
    runner._handle(messages)
    return ids


@pytest.mark.parametrize("error", [ValueError("no"), TooMuchAtOnce("slow")], ids=["refused", "too slow"])
def test_the_one_message_is_found_by_halving_and_the_others_are_handled_in_their_order(
    backends: Backends, error: Exception
) -> None:
    picky = Picky(error)
    ids = handled_by(backends, picky, 128)
    assert picky.handled == [id_ for id_ in ids if id_ != picky.refused]
    assert picky.tries <= 18  # one by one would take 129
    with Session(backends.engine) as session:
        assert session.query(DeadLetter).count() == 1


def test_a_batch_that_is_too_much_at_once_is_handled_in_parts(backends: Backends) -> None:
    picky = Picky(at_most=5)
    assert handled_by(backends, picky, 32) == picky.handled
    assert picky.tries == 15


def test_a_statement_that_is_too_slow_for_one_event_holds_up_no_other(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(n="{{ trigger.n }}"))
    what, condition = "INSERT ON orchestrator.workflow_executions", "NEW.trigger_payload->>'n' = '3'"
    with refusing(pipeline.backends, what, condition, sqlstate="57014"), working(pipeline.backends):
        accepted = [pipeline.accept(workflow.id, {"n": n}) for n in range(6)]
        ends = [pipeline.finished(event.event_id).status for event in accepted if event.payload["n"] != 3]
        reason = eventually(lambda: pipeline.dropped_because(accepted[3].event_id))
    assert ends == ["COMPLETED"] * 5
    assert "took too long" in reason


class TestFrames:
    """`n` items each, of 10 that may be opened together."""

    LOOP: ClassVar[dict[str, Any]] = {
        "type": "FOR_EACH",
        "config": {"items": "{{ trigger.items }}"},
        "actions": [{"type": "WAIT", "config": {"seconds": 3600}}],
    }

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(execution_batch, "MOST_FRAMES", 10)

    def test_loops_that_begin_together_have_no_more_than_a_statement_has_time_for(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(self.LOOP)
        batch = self._come(pipeline, workflow.id, 6, 6)
        orchestrator = Orchestrator(pipeline.backends)
        with pytest.raises(TooMuchAtOnce, match="more than 10 frames"):
            orchestrator.handle(batch)
        assert pipeline.count_of(workflow.id) == 0
        for one in batch:
            orchestrator.handle([one])
        assert pipeline.count_of(workflow.id) == 2

    def test_one_loop_may_have_more_of_its_own(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(self.LOOP)
        Orchestrator(pipeline.backends).handle(self._come(pipeline, workflow.id, 50))
        assert pipeline.count_of(workflow.id) == 1

    def test_loops_behind_a_step_count_too(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow({"type": "WAIT", "config": {"seconds": 0}}, self.LOOP)
        with working(pipeline.backends):
            events = [pipeline.accept(workflow.id, {"items": list(range(6))}) for _ in range(5)]
            rows = [eventually(lambda event=event: self._at_the_loop(pipeline, event.event_id)) for event in events]  # type: ignore[misc]
        assert {row.status for row in rows} == {"RUNNING"}

    def test_held_executions_begin_in_parts(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(self.LOOP, settings={"rateLimit": {"limit": 4, "seconds": 0.5}})
        with working(pipeline.backends):
            events = [pipeline.accept(workflow.id, {"items": list(range(6))}) for _ in range(12)]
            for event in events:
                assert eventually(lambda event=event: self._at_the_loop(pipeline, event.event_id))  # type: ignore[misc]

    def _come(self, pipeline: Pipeline, workflow_id: UUID, *counts: int) -> list[Received]:
        payloads = [{"items": list(range(count))} for count in counts]
        events = [pipeline.accept(workflow_id, payload) for payload in payloads]
        return [received(event.event_id, workflow_id, dict(event.payload)) for event in events]

    def _at_the_loop(self, pipeline: Pipeline, event_id: UUID) -> Any:
        row = pipeline.execution(event_id)
        return row if row is not None and row.in_block else None


class TestLargeData:
    """What does not travel is loaded by the step that begins, and held no longer than to compute its config."""

    class Config(ConnectorConfig):
        text: str = ""

    def test_a_connector_finds_it_where_it_looks(self, backends: Backends) -> None:
        seen: list[object] = []

        @connector("LOOK", self.Config, title="Look", help="Looks.", icon="alert")
        def look(config: TestLargeData.Config, context: StepContext) -> dict[str, Any]:
            seen.append((len(context.trigger["body"]), len(context.trigger), list(context.steps), config.text))
            return {}

        catalog = _catalog(look)
        pipeline = Pipeline(backends, catalog)
        workflow = pipeline.workflow({"type": "LOOK", "config": {"text": "of {{ trigger.body | length }}"}})
        with working(backends, lambda b: Orchestrator(b), lambda b: Executor(b, catalog)):
            done = pipeline.finished(pipeline.accept(workflow.id, {"body": "x" * 300_000}).event_id)
        assert done.status == "COMPLETED"
        assert seen == [(300_000, 1, [], "of 300000")]

    def test_an_executor_claims_it_without_loading_it(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(size="{{ trigger.body | length }}"))
        with working(pipeline.backends, Orchestrator):
            events = [pipeline.accept(workflow.id, {"body": "x" * 300_000}) for _ in range(3)]
            eventually(lambda: all(pipeline.execution(event.event_id) for event in events))
        pipeline.change_attempts("parked = true")
        executor = Executor(pipeline.backends)
        claimed: list[ClaimedStep] = []
        executor._steps.submit = claimed.extend  # type: ignore[method-assign]
        try:
            executor.tick()
        finally:
            executor.stop()
        starts = [step.run.start for step in claimed]
        assert [(start.by_reference, start.context) for start in starts] == [(True, {})] * 3
        with working(pipeline.backends):
            assert {pipeline.finished(event.event_id).status for event in events} == {"COMPLETED"}

    def test_a_large_output_stays_where_it_is_stored(self, pipeline: Pipeline, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/").respond_with_data("y" * 200_000, content_type="text/plain")
        call = {"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/")}}
        workflow = pipeline.workflow({**call, "id": "get"}, transform(size="{{ steps.get.body | length }}"))
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id).event_id)
        assert done.step_outputs is not None
        assert done.step_outputs["step_1"] == {"size": 200_000}
        stream = pipeline.backends.redis.xrange(f"flowforge:{EXECUTION_RESULT}")
        results = [ExecutionResult.decode(fields[b"v"]) for _, fields in stream]
        assert max(len(fields[b"v"]) for _, fields in stream) < 1_000
        assert [one.referenced_size > 200_000 for one in results] == [True, True]


class TestWhatOneTransactionLoads:
    """Of executions with some data each, where one transaction takes little."""

    @pytest.fixture(autouse=True)
    def little(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for store in (waits_store, held_executions_store, redelivery_store):
            monkeypatch.setattr(store, "MOST_BYTES", 100_000)

    def test_waits_that_are_due_together_end_in_parts(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow({"type": "WAIT", "config": {"seconds": 3600}})
        with working(pipeline.backends, Orchestrator):
            events = [pipeline.accept(workflow.id, {"pad": noise(n)}) for n in range(5)]
            eventually(lambda: all(pipeline.execution(event.event_id) for event in events))
        pipeline.change_attempts("due_at = now()")
        with rehearsal(pipeline.backends.engine) as connection:
            assert 0 < len(waits_store.end_due_waits(connection, 100)) < 5
        with working(pipeline.backends, Orchestrator):
            assert {pipeline.finished(event.event_id).status for event in events} == {"COMPLETED"}

    def test_executions_that_a_limit_has_held_begin_in_parts(self, pipeline: Pipeline) -> None:
        settings = {"rateLimit": {"limit": 3, "seconds": 0.2}}
        workflow = pipeline.workflow({"type": "WAIT", "config": {"seconds": 0}}, settings=settings)
        with working(pipeline.backends, Orchestrator):
            events = [pipeline.accept(workflow.id, {"pad": noise(n)}) for n in range(8)]
            assert {pipeline.finished(event.event_id).status for event in events} == {"COMPLETED"}

    def test_events_that_are_sent_again_carry_their_payloads_as_far_as_these_are_small(
        self, pipeline: Pipeline
    ) -> None:
        workflow = pipeline.workflow(transform(a=1))
        for n in range(6):
            pipeline.accept(workflow.id, {"pad": noise(n)})
        with rehearsal(pipeline.backends.engine) as connection:
            found = redelivery_store.unhandled_events(connection, inline_limit=10_000_000, grace=-1, limit=100)
        assert found[0].payload is not None
        assert 0 < sum(event.payload is not None for event in found) < 6
        assert all(event.size > 0 for event in found)


def noise(seed: int) -> str:
    """40,000 characters that cannot be compressed well."""
    return random.Random(seed).randbytes(20_000).hex()


def _catalog(found: Connector[Any]) -> Catalog:
    return Catalog({found.type: found}, {})
