"""An executor takes the results of its own steps where they lead straight on, and claims the steps that follow."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_httpserver import HTTPServer

from flowforge import events, jsonio
from flowforge.db import going_on_store
from flowforge.db.attempt_rows import Lease
from flowforge.engine.executor import Executor
from flowforge.engine.fair_queue import Admission
from flowforge.engine.intake import NewEvent
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.events import ExecutionResult, ExecutionStart
from flowforge.logbook import LogQuery
from flowforge.wiring import Backends
from tests.actions import transform
from tests.engine.going_on import completed
from tests.engine.late_receiver import LateReceiver
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.statements import counting_statements
from tests.waiting import eventually


def begun(pipeline: Pipeline, *actions: dict[str, Any], **more: Any) -> NewEvent:
    """An event whose execution has begun; no orchestrator is there any more."""
    workflow = pipeline.workflow(*actions, **more)
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(workflow.id)
        pipeline.started(event.event_id)
    return event


def states(pipeline: Pipeline, execution_id: UUID) -> list[str]:
    return [attempt.state for attempt in pipeline.attempts(execution_id)]


def test_an_executor_alone_brings_an_execution_to_its_end(pipeline: Pipeline) -> None:
    event = begun(pipeline, transform(a=1), transform(b="{{ steps.step_0.a }}"), transform(c="{{ steps.step_1.b }}"))
    with working(pipeline.backends, Executor):
        done = pipeline.finished(event.event_id)
    assert done.status == "COMPLETED"
    assert done.step_outputs == {"step_0": {"a": 1}, "step_1": {"b": 1}, "step_2": {"c": 1}}
    attempts = pipeline.attempts(done.id)
    assert [(one.state, one.attempt, one.claims) for one in attempts] == [("APPLIED", 1, 1)] * 3
    assert all(one.started_at and one.finished_at and not one.lease_owner for one in attempts)


def test_each_step_is_one_statement(pipeline: Pipeline) -> None:
    """The first step is claimed; then each result, what it changes and the next claim are stored together."""
    event = begun(pipeline, *[transform(a=1)] * 5)
    with counting_statements(pipeline.backends.engine) as statements, working(pipeline.backends, Executor):
        pipeline.finished(event.event_id)
    writing = [one for one in statements if "INSERT INTO orch" in one or "UPDATE orch" in one]
    assert len([one for one in writing if "WITH ready" in one]) == 1
    assert len([one for one in writing if "'APPLIED'" in one]) == 5
    assert len(writing) == 6


def test_the_log_tells_of_every_step(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(a=1), transform(b=2))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
        lines = eventually(lambda: _lines_of(pipeline.backends, done.id, 6))
    assert sorted(lines) == sorted(
        ["EXECUTION STARTED", "EXECUTION COMPLETED", *["START STARTED"] * 2, *["RESULT SUCCESS"] * 2]
    )


def test_the_orchestrator_leaves_alone_what_is_applied(pipeline: Pipeline) -> None:
    event = begun(pipeline, transform(a=1))
    with working(pipeline.backends, Executor):
        pipeline.finished(event.event_id)
    with counting_statements(pipeline.backends.engine) as statements, working(pipeline.backends, Orchestrator, LogSink):
        another = pipeline.accept(pipeline.workflow().id)
        pipeline.finished(another.event_id)
    assert not [one for one in statements if "state <> 'APPLIED'" in one]


def test_no_other_executor_claims_a_step_that_is_claimed(pipeline: Pipeline) -> None:
    event = begun(pipeline, transform(a=1))
    execution = pipeline.started(event.event_id)
    pipeline.backends.redis.flushall()
    start = ExecutionStart(
        execution_id=execution.id,
        workflow_id=execution.workflow_id,
        user_id=OWNER,
        step_index=0,
        action_type="TRANSFORM",
        claimed=True,
    )
    with counting_statements(pipeline.backends.engine) as statements, working(pipeline.backends, Executor):
        pipeline.publish(events.EXECUTION_START, start)
        group = pipeline.backends.settings.group_executor
        eventually(lambda: pipeline.backends.bus.lag().get((events.EXECUTION_START, group)) == 0)
    assert not [one for one in statements if "WITH ready" in one]


@pytest.mark.parametrize(
    ("action", "limits"),
    [
        ({"type": "FOR_EACH", "config": {"items": [1]}, "actions": [transform(a=1)]}, {}),
        (transform(a=1), {"concurrency": {"limit": 1}}),
        (transform(a="x" * 70_000), {}),
        (transform(a="{{ trigger.none | int }}"), {}),
        (transform(a="{{ 'vars' }}"), {}),
    ],
    ids=[
        "steps of a block",
        "where others wait for the execution",
        "large results",
        "failures",
        "where variables may be called",
    ],
)
def test_the_orchestrator_takes(pipeline: Pipeline, action: dict[str, Any], limits: dict[str, Any]) -> None:
    event = begun(pipeline, action, settings=limits)
    execution = pipeline.started(event.event_id)
    with working(pipeline.backends, Executor):
        eventually(lambda: "ENDED" in states(pipeline, execution.id))
    assert pipeline.started(event.event_id).status == "RUNNING"
    with working(pipeline.backends):
        pipeline.finished(event.event_id)


def test_the_orchestrator_takes_what_somebody_awaits(pipeline: Pipeline) -> None:
    called = pipeline.workflow(transform(a=1))
    calling = pipeline.workflow({"type": "RUN_WORKFLOW", "config": {"workflowId": str(called.id)}})
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(calling.id)
        execution = eventually(lambda: pipeline.last_of(called.id, finished=False))
    with working(pipeline.backends, Executor):
        eventually(lambda: states(pipeline, execution.id) == ["ENDED"])
    with working(pipeline.backends):
        assert pipeline.finished(event.event_id).status == "COMPLETED"


_KEPT_OTHERWISE = pytest.mark.parametrize(
    ("value", "seen"),
    [("x\0", "x\ufffd"), (1e22, str(10**22)), ([-1.5e17, 1], f"[-15{'0' * 16},1]"), (-0.0, "0.0"), ([-0.0], "[0.0]")],
    ids=["NUL", "a large number", "a large number in a list", "minus zero", "minus zero in a list"],
)
"""It has no NUL and no minus zero, and writes every digit of a number."""


@_KEPT_OTHERWISE
def test_the_next_step_sees_what_postgresql_keeps(
    pipeline: Pipeline, httpserver: HTTPServer, value: object, seen: str
) -> None:
    httpserver.expect_request("/").respond_with_data(jsonio.dumps({"value": value}), content_type="application/json")
    fetch = {"id": "fetch", "type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/")}}
    workflow = pipeline.workflow(fetch, transform(text="is {{ steps.fetch.body.value }}"))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.step_outputs is not None
    assert done.step_outputs["step_1"] == {"text": f"is {seen}"}


@_KEPT_OTHERWISE
def test_steps_after_the_first_see_the_payload_that_postgresql_keeps(
    pipeline: Pipeline, value: object, seen: str
) -> None:
    workflow = pipeline.workflow(transform(a=1), *[transform(text="is {{ trigger.value }}")] * 2)
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"value": value}).event_id)
    assert done.step_outputs is not None
    assert [done.step_outputs[step] for step in ("step_1", "step_2")] == [{"text": f"is {seen}"}] * 2


class TestWhereTheLeaseIsLost:
    def test_a_result_changes_nothing(self, pipeline: Pipeline, late_receiver: LateReceiver) -> None:
        event = begun(pipeline, late_receiver.call("/first"), transform(b=2))
        execution_id = pipeline.started(event.event_id).id
        with working(pipeline.backends, Executor):
            eventually(lambda: late_receiver.paths == ["/first"])
            pipeline.change_attempts("lease_owner = 'another'", execution_id)
            late_receiver.answer.set()
        [attempt] = pipeline.attempts(execution_id)
        assert (attempt.state, attempt.lease_owner) == ("RUNNING", "another")
        assert pipeline.started(event.event_id).current_step == 0

    def test_the_others_of_the_batch_go_on(self, pipeline: Pipeline) -> None:
        lost, kept = (pipeline.started(begun(pipeline, transform(a=1)).event_id).id for _ in range(2))
        for execution_id, owner in ((lost, "another"), (kept, "executor")):
            pipeline.change_attempts("state = 'RUNNING', lease_owner = :owner", execution_id, owner=owner)
        results = [completed(execution_id) for execution_id in (lost, kept)]
        lease = Lease("executor", seconds=10)
        assert going_on_store.go_on(pipeline.backends.engine, lease, results) == {kept: True}
        assert [states(pipeline, execution_id) for execution_id in (lost, kept)] == [["RUNNING"], ["APPLIED"]]


def test_a_result_after_a_cancellation_changes_nothing(pipeline: Pipeline, late_receiver: LateReceiver) -> None:
    event = begun(pipeline, late_receiver.call("/first"), transform(b=2))
    execution_id = pipeline.started(event.event_id).id
    with working(pipeline.backends, Executor):
        eventually(lambda: late_receiver.paths == ["/first"])
        pipeline.cancel(execution_id)
        late_receiver.answer.set()
        eventually(lambda: states(pipeline, execution_id) == ["APPLIED"])
    done = pipeline.finished(event.event_id)
    assert (done.status, done.step_outputs) == ("CANCELLED", {})


def test_a_call_that_needs_care_is_noted_before_it_is_made(pipeline: Pipeline, late_receiver: LateReceiver) -> None:
    event = begun(pipeline, transform(a=1), {**late_receiver.call("/first"), "afterCrash": "fail"})
    execution_id = pipeline.started(event.event_id).id
    with counting_statements(pipeline.backends.engine) as statements, working(pipeline.backends, Executor):
        eventually(lambda: late_receiver.paths == ["/first"])
        assert [one for one in statements if "SET started_at = COALESCE(a.started_at, now())" in one]
        assert [one.claims for one in pipeline.attempts(execution_id)] == [1, 1]
        late_receiver.answer.set()
        assert pipeline.finished(event.event_id).status == "COMPLETED"


def test_steps_are_claimed_together_only_where_each_begins(backends: Backends) -> None:
    """Others would have begun in PostgreSQL's eyes: were their executor killed, they would be charged with it."""
    backends.settings.executor_threads = 8
    executor = Executor(backends)
    try:
        admit = executor._look_for_room()
        assert [admit((uuid4(), OWNER), "TRANSFORM") for _ in range(8)].count(Admission.BEGINS) == 6
    finally:
        executor.stop()


def test_a_backlog_leaves_executions_that_have_begun_with_the_executor(backends: Backends) -> None:
    executor = Executor(backends)
    try:
        assert executor._parked
        assert executor._look_for_room()((uuid4(), OWNER), "TRANSFORM") is Admission.BEGINS
    finally:
        executor.stop()


def test_a_step_that_is_claimed_before_its_turn_is_noted_when_it_begins(
    pipeline: Pipeline, late_receiver: LateReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Executor, "_look_for_room", lambda _executor: lambda _holders, _type: Admission.WAITS)
    event = begun(pipeline, transform(a=1), late_receiver.call("/first"))
    execution_id = pipeline.started(event.event_id).id
    with working(pipeline.backends, Executor):
        eventually(lambda: late_receiver.paths == ["/first"])
        assert [(one.state, one.claims) for one in pipeline.attempts(execution_id)] == [("APPLIED", 1), ("RUNNING", 0)]
        late_receiver.answer.set()
        assert pipeline.finished(event.event_id).status == "COMPLETED"
    assert [one.claims for one in pipeline.attempts(execution_id)] == [1, 1]


def test_what_a_dead_executor_had_claimed_is_run_again(pipeline: Pipeline, late_receiver: LateReceiver) -> None:
    event = begun(pipeline, transform(a=1), late_receiver.call("/first"))
    execution_id = pipeline.started(event.event_id).id
    with working(pipeline.backends, Executor):
        eventually(lambda: late_receiver.paths == ["/first"])
        dead = "lease_owner = 'dead', lease_until = now() - interval '1 hour', lapsed_at = now() - interval '1 hour'"
        pipeline.change_attempts(f"{dead} WHERE step_index = 1 AND execution_id = '{execution_id}'")
        late_receiver.answer.set()
    assert pipeline.resend().leases == 1
    with working(pipeline.backends):
        assert pipeline.finished(event.event_id).status == "COMPLETED"
    assert [one.claims for one in pipeline.attempts(execution_id)] == [1, 2]


def _lines_of(backends: Backends, execution_id: UUID, number: int) -> list[str] | None:
    page = backends.logbook.find(LogQuery(user_id=OWNER, execution_id=execution_id), page=0, size=50)
    lines = [f"{entry.event_type} {entry.status}" for entry in page.entries]
    return lines if len(lines) == number else None


def test_a_result_is_applied_once_though_its_message_comes_again(pipeline: Pipeline) -> None:
    event = begun(pipeline, transform(a=1), transform(b=2))
    with working(pipeline.backends, Executor):
        done = pipeline.finished(event.event_id)
    again = ExecutionResult(
        execution_id=done.id, workflow_id=done.workflow_id, user_id=OWNER, step_index=0, attempt=1, status="SUCCESS"
    )
    with working(pipeline.backends):
        pipeline.publish(events.EXECUTION_RESULT, again)
        pipeline.finished(pipeline.accept(pipeline.workflow().id).event_id)
    assert pipeline.finished(event.event_id).step_outputs == done.step_outputs
