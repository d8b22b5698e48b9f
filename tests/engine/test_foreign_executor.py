"""Steps that another implementation's executor runs, which knows the wire contract and nothing else of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge import events, jsonio
from flowforge.bus import Message
from flowforge.connections import named_secrets
from flowforge.engine.foreign_executor import ForeignExecutor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.logbook import LogQuery
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.waiting import eventually

URL = "https://hooks.example.test/services/T0/B0/slack-secret"
MOST_BYTES = 200_000


class Theirs:
    """An executor as the originals have it: it reads execution.start and answers on execution.result."""

    def __init__(self, backends: Backends) -> None:
        self._bus = backends.bus
        self._subscription = self._bus.subscribe([events.EXECUTION_START], "executor-group", "theirs")
        self.received: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any]:
        """Waits for a step."""
        before = len(self.received)
        eventually(lambda: self.look() or len(self.received) > before)
        return self.received[before]

    def look(self) -> None:
        deliveries = self._subscription.poll(100, 0.1)
        self._subscription.ack(deliveries)
        self.received += [jsonio.loads(delivery.value) for delivery in deliveries]

    def succeed(self, start: dict[str, Any], output: dict[str, Any]) -> None:
        """Answers with the fields of the contract, and no others."""
        ids = {name: start[name] for name in ("executionId", "workflowId", "userId", "stepIndex")}
        result = {**ids, "status": "SUCCESS", "output": output}
        self._bus.publish([Message(events.EXECUTION_RESULT, start["executionId"], jsonio.dumps(result))])


@pytest.fixture
def changes() -> dict[str, Any]:
    """Settings beside EXECUTOR; a test may change them before it asks for anything else."""
    return {"topic_secrets_in_clear": True}


@pytest.fixture
def settings(settings: Settings, changes: dict[str, Any]) -> Settings:
    # On Valkey Streams, which keep the same promises: the stand-in for the other side reads them as well.
    return settings.model_copy(update={"executor": "foreign", "kafka_message_max_bytes": MOST_BYTES, **changes})


@pytest.fixture
def redelivery_grace() -> float:
    return 0.0


@pytest.fixture
def theirs(pipeline: Pipeline) -> Iterator[Theirs]:
    theirs = Theirs(pipeline.backends)
    with working(pipeline.backends, Orchestrator, ForeignExecutor):
        yield theirs


def slack(message: str, **more: Any) -> dict[str, Any]:
    return {"type": "SLACK_MESSAGE", "config": {"webhookUrl": URL, "message": message}, **more}


def test_a_workflow_runs_to_its_end_with_results_that_name_no_attempt(pipeline: Pipeline, theirs: Theirs) -> None:
    workflow = pipeline.workflow(slack("first"), slack("it was {{ steps.step_0.delivered }}"))
    event = pipeline.accept(workflow.id)

    theirs.succeed(theirs.next(), {"delivered": True})
    second = theirs.next()
    theirs.succeed(second, {"delivered": False})

    row = pipeline.finished(event.event_id)
    assert (row.status, row.step_outputs) == (
        "COMPLETED",
        {"step_0": {"delivered": True}, "step_1": {"delivered": False}},
    )
    assert second["actionConfig"]["message"] == "it was true"


def test_expressions_are_computed_and_secrets_in_clear_where_that_is_set(pipeline: Pipeline, theirs: Theirs) -> None:
    workflow = pipeline.workflow(slack("order {{ trigger.body.order + 1 }}"))
    pipeline.accept(workflow.id, {"body": {"order": 17}})

    start = theirs.next()
    assert start["actionConfig"] == {"webhookUrl": URL, "message": "order 18"}
    assert start["triggerPayload"] == start["context"]["trigger"] == {"body": {"order": 17}}


def test_a_slow_receiver_gets_the_step_once(pipeline: Pipeline, theirs: Theirs) -> None:
    event = pipeline.accept(pipeline.workflow(slack("slowly", timeout=60)).id)
    start = theirs.next()
    for _ in range(5):
        pipeline.resend()
        theirs.look()
    assert len(theirs.received) == 1
    theirs.succeed(start, {"delivered": True})
    assert pipeline.finished(event.event_id).status == "COMPLETED"


def test_a_backlog_of_theirs_is_not_sent_again(pipeline: Pipeline, theirs: Theirs) -> None:
    workflow = pipeline.workflow(slack("many"))
    for _ in range(30):
        pipeline.accept(workflow.id)
    eventually(lambda: theirs.look() or len(theirs.received) >= 30)
    for _ in range(3):
        pipeline.resend()
        theirs.look()
    assert len(theirs.received) == 30


def test_a_step_whose_time_is_over_is_handed_over_again(pipeline: Pipeline, theirs: Theirs) -> None:
    event = pipeline.accept(pipeline.workflow(slack("lost", afterCrash="again")).id)
    first = theirs.next()
    long_ago = "now() - interval '1 hour'"
    pipeline.change_attempts(f"lease_until = {long_ago}, lapsed_at = {long_ago}", UUID(first["executionId"]))
    pipeline.resend()

    second = theirs.next()
    assert (second["stepIndex"], second["attempt"]) == (first["stepIndex"], first["attempt"])
    theirs.succeed(second, {"delivered": True})
    assert pipeline.finished(event.event_id).status == "COMPLETED"


def test_what_is_above_the_inline_limit_comes_whole(pipeline: Pipeline, theirs: Theirs) -> None:
    body = {"text": "x" * (2 * pipeline.backends.settings.payload_inline_limit)}
    pipeline.accept(pipeline.workflow(slack("large")).id, {"body": body})

    start = theirs.next()
    assert start["context"]["trigger"] == start["triggerPayload"] == {"body": body}
    assert not start.get("byReference")


def test_what_kafka_does_not_take_fails_and_says_so(pipeline: Pipeline, theirs: Theirs) -> None:
    event = pipeline.accept(pipeline.workflow(slack("too large")).id, {"body": {"text": "x" * MOST_BYTES}})

    row = pipeline.finished(event.event_id)
    assert row.status == "FAILED"
    assert "Kafka takes 200,000 (KAFKA_MESSAGE_MAX_BYTES)" in (row.error or {})["message"]
    theirs.look()
    assert theirs.received == []


def test_what_the_bus_refuses_fails_alone(pipeline: Pipeline, theirs: Theirs, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = type(pipeline.backends.bus).publish

    def refusing(bus: Any, messages: Sequence[Message]) -> None:
        if any(message.topic == events.EXECUTION_START and b"refused" in message.value for message in messages):
            raise ValueError("larger than the broker takes")
        publish(bus, messages)

    monkeypatch.setattr(type(pipeline.backends.bus), "publish", refusing)
    refused = pipeline.accept(pipeline.workflow(slack("refused")).id)
    pipeline.accept(pipeline.workflow(slack("taken")).id)

    assert theirs.next()["actionConfig"]["message"] == "taken"
    pipeline.resend()
    assert "larger than the broker takes" in (pipeline.finished(refused.event_id).error or {})["message"]


def test_a_config_that_cannot_be_computed_fails_the_step(pipeline: Pipeline, theirs: Theirs) -> None:
    event = pipeline.accept(pipeline.workflow(slack("{{ trigger.body.order / 0 }}")).id, {"body": {"order": 1}})

    row = pipeline.finished(event.event_id)
    assert (row.status, theirs.received) == ("FAILED", [])
    assert "message" in (row.error or {})["message"]


def test_a_step_that_is_not_handed_over_ends_with_its_claim(pipeline: Pipeline) -> None:
    """Its failure is stored, so that it does not depend on its message."""
    workflow = pipeline.workflow(slack("{{ trigger.body.order / 0 }}"))
    with working(pipeline.backends, Orchestrator):
        pipeline.started(pipeline.accept(workflow.id, {"body": {"order": 1}}).event_id)
    with working(pipeline.backends, ForeignExecutor):
        state = text("SELECT state, succeeded, claims FROM orchestrator.step_attempts WHERE state <> 'QUEUED'")
        with pipeline.backends.engine.connect() as connection:
            ended = eventually(lambda: connection.execute(state).first())
    assert tuple(ended) == ("ENDED", False, 1)


def test_named_secrets_go_to_it_in_clear_and_nowhere_else(pipeline: Pipeline, theirs: Theirs) -> None:
    with Session(pipeline.backends.engine) as session:
        named_secrets.put_secret(session, pipeline.backends.vault, OWNER, "token", "a-named-secret")
    pipeline.accept(pipeline.workflow(slack("with {{ secrets.token | upper }}")).id)

    assert theirs.next()["actionConfig"]["message"] == "with A-NAMED-SECRET"
    with working(pipeline.backends, LogSink):
        query = LogQuery(OWNER, event_type="START")
        [line] = eventually(lambda: pipeline.backends.logbook.find(query, page=0, size=10).entries)
    logged = str(line)
    assert "A-NAMED-SECRET" not in logged
    assert URL not in logged
    assert "SLACK_MESSAGE" in logged


class TestSecretsThatStaySealed:
    @pytest.fixture
    def changes(self) -> dict[str, Any]:
        return {"topic_secrets_in_clear": False}

    def test_they_travel_as_they_are_stored(self, pipeline: Pipeline, theirs: Theirs) -> None:
        pipeline.accept(pipeline.workflow(slack("hello")).id)
        config = theirs.next()["actionConfig"]
        assert config["message"] == "hello"
        assert pipeline.backends.vault.open(config["webhookUrl"]) == URL

    def test_a_step_that_uses_a_named_one_fails(self, pipeline: Pipeline, theirs: Theirs) -> None:
        with Session(pipeline.backends.engine) as session:
            named_secrets.put_secret(session, pipeline.backends.vault, OWNER, "token", "a-named-secret")
        event = pipeline.accept(pipeline.workflow(slack("{{ secrets.token }}")).id)

        row = pipeline.finished(event.event_id)
        assert "TOPIC_SECRETS_IN_CLEAR" in (row.error or {})["message"]
        theirs.look()
        assert theirs.received == []


@pytest.mark.kafka
class TestOnKafka:
    """With a client that knows nothing of ours."""

    @pytest.fixture
    def changes(self, kafka_brokers: str) -> dict[str, Any]:
        mark = uuid4().hex[:8]
        groups = {f"group_{role}": f"{role}-{mark}" for role in ("orchestrator", "executor", "log_sink")}
        return {"kafka_brokers": [kafka_brokers], "topic_secrets_in_clear": True, **groups}

    def test_a_workflow_runs_to_its_end(self, pipeline: Pipeline, kafka_brokers: str) -> None:
        workflow = pipeline.workflow(slack("{{ trigger.body.text | upper }}"))
        event = pipeline.accept(workflow.id, {"body": {"text": "hello"}})
        reading = {"bootstrap_servers": kafka_brokers, "auto_offset_reset": "earliest"}
        with (
            working(pipeline.backends, Orchestrator, ForeignExecutor),
            closing(KafkaConsumer("execution.start", group_id=f"theirs-{uuid4().hex}", **reading)) as consumer,
            closing(KafkaProducer(bootstrap_servers=kafka_brokers)) as producer,
        ):
            start = eventually(lambda: _start_of(workflow.id, consumer))
            assert start["actionConfig"]["message"] == "HELLO"
            ids = {name: start[name] for name in ("executionId", "workflowId", "userId", "stepIndex")}
            result = {**ids, "status": "SUCCESS", "output": {"sent": True, "statusCode": 200}}
            producer.send("execution.result", jsonio.dumps(result), key=start["executionId"].encode())
            producer.flush()
            assert pipeline.finished(event.event_id).status == "COMPLETED"


def _start_of(workflow_id: UUID, consumer: KafkaConsumer) -> dict[str, Any] | None:
    records = [record for batch in consumer.poll(500).values() for record in batch]
    starts = [jsonio.loads(record.value) for record in records]
    return next((start for start in starts if start["workflowId"] == str(workflow_id)), None)


def test_it_needs_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXECUTOR", "foreign")
    with pytest.raises(ValidationError, match="EXECUTOR=foreign needs KAFKA_BROKERS"):
        Settings(_env_file=None)
    monkeypatch.setenv("KAFKA_BROKERS", "kafka:9092")
    assert Settings(_env_file=None).has_foreign_executor
