"""From an accepted event to the end of its execution, with everything that can come in between."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug import Request, Response

from flowforge import events
from flowforge.bus import Message
from flowforge.db.tables import TriggerEventRow
from flowforge.engine import intake
from flowforge.engine.consumer import Received
from flowforge.engine.executor import Executor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.events import ExecutionResult, ExecutionStart, TriggerEvent
from flowforge.executions import executions
from flowforge.workflows.changes import WorkflowChange
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.logged_data import logged_data
from tests.statements import counting_statements
from tests.waiting import eventually


def test_steps_run_in_order_and_see_what_came_before(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(
        {**transform(double="{{ trigger.n * 2 }}"), "id": "first"}, transform(sum="{{ steps.first.double + 1 }}")
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"n": 4}).event_id)
    assert (done.status, done.current_step) == ("COMPLETED", 2)
    assert done.step_outputs == {"step_0": {"double": 8}, "step_1": {"sum": 9}}


def test_a_workflow_without_actions_completes_at_once(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow()
    with working(pipeline.backends, Orchestrator):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert (done.status, done.current_step, done.step_outputs) == ("COMPLETED", 0, {})


def test_the_reason_of_a_failure_is_kept(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({**transform(x="{{ trigger.body.missing }}"), "id": "build"})
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id, {"body": {}}).event_id)
    assert failed.status == "FAILED"
    assert failed.error is not None
    assert (failed.error["step"], failed.error["attempt"]) == ("build", 1)
    assert "missing" in failed.error["message"]


def test_a_passing_error_is_tried_again(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    answers = [Response("busy", 503, {"Retry-After": "0"}), Response("{}", 200)]
    keys: list[str | None] = []

    def answer(request: Request) -> Response:
        keys.append(request.headers.get("Idempotency-Key"))
        return answers[len(keys) - 1]

    httpserver.expect_request("/").respond_with_handler(answer)
    action = {"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/")}, "retry": {"delay": 0.1}}
    workflow = pipeline.workflow(action)
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.status == "COMPLETED"
    assert [(attempt.attempt, attempt.succeeded) for attempt in pipeline.attempts(done.id)] == [(1, False), (2, True)]
    assert len(set(keys)) == 2


def test_attempts_end(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("no", status=500)
    retry = {"attempts": 2, "delay": 0.1}
    workflow = pipeline.workflow({"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/")}, "retry": retry})
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert failed.error == {"step": "step_0", "stepIndex": 0, "attempt": 2, "message": "the receiver answered 500: no"}


def test_secrets_are_nowhere_but_in_the_call(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/", headers={"Authorization": "Bearer s3cret-token"}).respond_with_json(
        {"echo": "Bearer s3cret-token"}
    )
    workflow = pipeline.workflow(
        {"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/"), "bearerToken": "s3cret-token"}}
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
        eventually(lambda: _count(pipeline, "logbook.execution_logs") == 5)
    assert done.status == "COMPLETED"
    for table in (
        "workflow.workflows",
        "workflow.workflow_versions",
        "orchestrator.workflow_executions",
        "orchestrator.step_attempts",
        "logbook.execution_logs",
    ):
        assert "s3cret-token" not in _everything(pipeline, table)
    with pipeline.backends.engine.connect() as connection:
        assert "s3cret-token" not in str(logged_data(connection))
    for topic in events.TOPICS:
        assert b"s3cret-token" not in b"".join(_values(pipeline, topic))


def test_a_large_payload_travels_by_reference(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(size="{{ trigger.body | length }}"))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"body": "x" * 300_000}).event_id)
    assert done.step_outputs == {"step_0": {"size": 300_000}}
    assert max(len(value) for topic in events.TOPICS for value in _values(pipeline, topic)) < 10_000


@pytest.mark.parametrize("enabled", [True, False])
def test_an_event_without_a_workflow_to_run_is_dropped_with_its_reason(pipeline: Pipeline, enabled: bool) -> None:
    workflow_id = uuid4() if enabled else pipeline.workflow(enabled=False).id
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(workflow_id)
        reason = eventually(lambda: pipeline.dropped_because(event.event_id))
    assert reason == ("the workflow does not exist" if enabled else "the workflow is disabled")


def test_a_repeated_event_starts_nothing_new(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(a=1))
    with working(pipeline.backends):
        event = pipeline.accept(workflow.id)
        pipeline.finished(event.event_id)
        again = pipeline.accept(workflow.id)
        limit = pipeline.backends.settings.payload_inline_limit
        intake.announce(pipeline.backends.bus, [event], inline_limit=limit)
        pipeline.finished(again.event_id)
        eventually(lambda: sum(pipeline.backends.bus.lag().values()) == 0)
    assert _count(pipeline, "orchestrator.workflow_executions") == 2


def test_a_payload_is_kept_once(pipeline: Pipeline) -> None:
    """By the execution, or by the event where that has led to none."""
    started, dropped = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1), enabled=False)
    with working(pipeline.backends):
        begun, skipped = (pipeline.accept(each.id, {"body": {"order": 17}}) for each in (started, dropped))
        done = pipeline.finished(begun.event_id)
        eventually(lambda: pipeline.dropped_because(skipped.event_id))
    assert done.trigger_payload == {"body": {"order": 17}}
    with Session(pipeline.backends.engine) as session:
        kept = {event.id: event.payload for event in session.scalars(select(TriggerEventRow))}
    assert kept == {begun.event_id: {}, skipped.event_id: {"body": {"order": 17}}}


def test_an_execution_keeps_the_version_it_started_with(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(v=1), transform(v=1))
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(workflow.id)
        pipeline.started(event.event_id)
    with Session(pipeline.backends.engine) as session:
        pipeline.workflows.update(
            session, OWNER, workflow.id, WorkflowChange.read({"name": "w", "actions": [transform(v=2)]})
        )
    with working(pipeline.backends):
        done = pipeline.finished(event.event_id)
    assert done.step_outputs == {"step_0": {"v": 1}, "step_1": {"v": 1}}


def test_a_cancelled_execution_takes_no_late_result(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(a=1), transform(b=1))
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(workflow.id)
        row = pipeline.started(event.event_id)
        with Session(pipeline.backends.engine) as session:
            executions.cancel(session, pipeline.backends, OWNER, row.id)
    with working(pipeline.backends):
        eventually(lambda: sum(pipeline.backends.bus.lag().values()) == 0)
    cancelled = pipeline.finished(event.event_id)
    assert (cancelled.status, cancelled.step_outputs) == ("CANCELLED", {})


class TestOtherImplementations:
    def test_definitions_found_in_an_adopted_database_are_taken_literally(self, pipeline: Pipeline) -> None:
        workflow_id = uuid4()
        with pipeline.backends.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO workflow.workflows (id, name, user_id, actions_definition) VALUES (:id, 'old', :owner,"
                    """ '[{"type": "TRANSFORM", "config": {"output": {"a": "{{ trigger }}"}}}]')"""
                ),
                {"id": workflow_id, "owner": OWNER},
            )
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow_id).event_id)
        assert done.step_outputs == {"step_0": {"a": "{{ trigger }}"}}

    def test_an_action_without_config_fails_clearly(self, pipeline: Pipeline) -> None:
        workflow_id = uuid4()
        with pipeline.backends.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO workflow.workflows (id, name, user_id, actions_definition)"
                    """ VALUES (:id, 'old', :owner, '[{"type": "slack_message"}]')"""
                ),
                {"id": workflow_id, "owner": OWNER},
            )
        with working(pipeline.backends):
            failed = pipeline.finished(pipeline.accept(workflow_id).event_id)
        assert failed.error is not None
        assert "webhookUrl is required" in failed.error["message"]

    def test_an_event_that_another_trigger_service_accepted_is_run(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(n="{{ trigger.n }}"))
        event_id = uuid4()
        foreign = TriggerEvent(
            event_id=event_id,
            trigger_id=uuid4(),
            workflow_id=workflow.id,
            user_id=OWNER,
            trigger_type="SCHEDULER",
            timestamp=datetime.now(UTC),
            payload={"n": 1},
        )
        with working(pipeline.backends):
            pipeline.publish(events.TRIGGER_EVENTS, foreign)
            done = pipeline.finished(event_id)
        assert done.step_outputs == {"step_0": {"n": 1}}

    @pytest.mark.parametrize(("status", "expected"), [("SUCCESS", "COMPLETED"), ("failure", "FAILED")])
    def test_the_result_of_another_executor_counts(self, pipeline: Pipeline, status: str, expected: str) -> None:
        workflow = pipeline.workflow(transform(a=1))
        with working(pipeline.backends, Orchestrator):
            event = pipeline.accept(workflow.id)
            row = pipeline.started(event.event_id)
            raw = {
                "executionId": str(row.id),
                "workflowId": str(workflow.id),
                "userId": str(OWNER),
                "stepIndex": 0,
                "status": status,
                "output": {"delivered": True},
            }
            pipeline.publish(events.EXECUTION_RESULT, ExecutionResult.model_validate(raw))
            done = pipeline.finished(event.event_id)
        assert done.status == expected

    def test_a_step_that_another_orchestrator_sent_is_run(self, pipeline: Pipeline) -> None:
        execution_id = uuid4()
        with pipeline.backends.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO orchestrator.workflow_executions (id, workflow_id, user_id, status, current_step)"
                    " VALUES (:id, :workflow, :owner, 'RUNNING', 0)"
                ),
                {"id": execution_id, "workflow": uuid4(), "owner": OWNER},
            )
        raw = {
            "executionId": str(execution_id),
            "workflowId": str(uuid4()),
            "userId": str(OWNER),
            "stepIndex": 0,
            "actionType": "transform",
            "actionConfig": {"output": {"a": "{{ literal }}"}},
        }
        with working(pipeline.backends, Executor):
            pipeline.publish(events.EXECUTION_START, ExecutionStart.model_validate(raw))
            eventually(lambda: [one.state for one in pipeline.attempts(execution_id)] == ["ENDED"])
        assert pipeline.attempts(execution_id)[0].output == {"a": "{{ literal }}"}


class TestNothingIsLost:
    @pytest.fixture
    def redelivery_grace(self) -> float:
        return 0.0

    def test_what_the_bus_forgot_is_sent_again(self, pipeline: Pipeline) -> None:
        loop = {"type": "FOR_EACH", "config": {"items": [1]}, "actions": [transform(a=1)]}
        workflow = pipeline.workflow(loop, transform(b=2))
        event = pipeline.accept(workflow.id)
        pipeline.backends.redis.flushall()
        with working(pipeline.backends, Orchestrator):
            eventually(lambda: pipeline.resend().events == 1)
            pipeline.started(event.event_id)
        pipeline.backends.redis.flushall()
        with working(pipeline.backends, Executor):
            eventually(lambda: pipeline.resend().starts == 1)
            eventually(lambda: _count(pipeline, "orchestrator.step_attempts", "state = 'ENDED'"))
        pipeline.backends.redis.flushall()
        with working(pipeline.backends):
            eventually(lambda: pipeline.resend().results == 1)
            done = pipeline.finished(event.event_id)
        assert done.status == "COMPLETED"

    def test_the_lease_of_a_dead_executor_ends(self, pipeline: Pipeline) -> None:
        event = pipeline.held_by_a_dead_executor(transform(a=1), claims=1)
        assert pipeline.resend().leases == 1
        with working(pipeline.backends):
            done = pipeline.finished(event.event_id)
        assert done.status == "COMPLETED"
        assert [(one.attempt, one.claims) for one in pipeline.attempts(done.id)] == [(1, 2)]

    def test_a_step_that_kills_every_executor_fails_in_the_end(self, pipeline: Pipeline) -> None:
        event = pipeline.held_by_a_dead_executor(transform(a=1), claims=5)
        with working(pipeline.backends):
            eventually(lambda: pipeline.resend() and pipeline.execution(event.event_id).status == "FAILED")  # type: ignore[union-attr]
            failed = pipeline.finished(event.event_id)
        assert failed.error is not None
        assert failed.error["message"] == "the executor died 5 times while it ran this step"

    def test_a_message_nobody_can_read_is_kept_with_its_reason(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(a=1))
        unreadable = [
            Message(events.TRIGGER_EVENTS, "k", b"\xff not json"),
            Message(events.TRIGGER_EVENTS, "k", b'{"eventId": 5}'),
        ]
        with working(pipeline.backends, Orchestrator, Executor):
            pipeline.backends.bus.publish(unreadable)
            pipeline.finished(pipeline.accept(workflow.id).event_id)
        assert _count(pipeline, "orchestrator.dead_letters") == 2
        assert "not JSON" in _everything(pipeline, "orchestrator.dead_letters")


class TestSpeedByDesign:
    @pytest.mark.parametrize("count", [1, 50])
    def test_a_batch_of_events_costs_two_statements(self, pipeline: Pipeline, count: int) -> None:
        workflow = pipeline.workflow(transform(a=1))
        orchestrator = Orchestrator(pipeline.backends)
        warm = [self._received(pipeline, workflow.id) for _ in range(1)]
        orchestrator.handle(warm)
        batch = [self._received(pipeline, workflow.id) for _ in range(count)]
        with counting_statements(pipeline.backends.engine) as statements:
            orchestrator.handle(batch)
        assert len(statements) == 2

    def _received(self, pipeline: Pipeline, workflow_id):  # type: ignore[no-untyped-def]
        new = pipeline.accept(workflow_id)
        message = TriggerEvent(
            event_id=new.event_id,
            workflow_id=workflow_id,
            user_id=OWNER,
            trigger_type="webhook",
            timestamp=datetime.now(UTC),
        )
        return Received(None, message)  # type: ignore[arg-type]

    def test_a_slow_workflow_does_not_hold_up_another(self, pipeline: Pipeline, httpserver: HTTPServer) -> None:
        release = threading.Event()

        def slowly(_request: Request) -> Response:
            release.wait(30)
            return Response("{}")

        httpserver.expect_request("/slow").respond_with_handler(slowly)
        slow = pipeline.workflow({"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/slow")}})
        quick = pipeline.workflow(transform(a=1))
        with working(pipeline.backends):
            waiting = [pipeline.accept(slow.id) for _ in range(200)]
            done = pipeline.finished(pipeline.accept(quick.id).event_id)
            release.set()
            ends = [pipeline.finished(event.event_id).status for event in waiting]
        assert done.status == "COMPLETED"
        assert set(ends) == {"COMPLETED"}


def test_a_log_line_is_written_once(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(a=1))
    with working(pipeline.backends):
        pipeline.finished(pipeline.accept(workflow.id).event_id)
        eventually(lambda: _count(pipeline, "logbook.execution_logs") == 5)
    pipeline.backends.redis.xgroup_destroy("flowforge:execution.result", "flowforge-log-sink")
    with working(pipeline.backends, LogSink):
        eventually(lambda: sum(pipeline.backends.bus.lag().values()) == 0)
    assert _count(pipeline, "logbook.execution_logs") == 5


def _count(pipeline: Pipeline, table: str, where: str = "true") -> int:
    with pipeline.backends.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())


def _everything(pipeline: Pipeline, table: str) -> str:
    with pipeline.backends.engine.connect() as connection:
        return str(connection.execute(text(f"SELECT json_agg(t) FROM {table} t")).scalar_one())


def _values(pipeline: Pipeline, topic: str) -> list[bytes]:
    return [fields[b"v"] for _, fields in pipeline.backends.redis.xrange(f"flowforge:{topic}")]
