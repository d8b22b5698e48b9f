"""Whatever one execution or one message makes the engine fail at ends that one; all others go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge import events
from flowforge.bus import Message
from flowforge.db.tables import DeadLetter
from flowforge.engine import redelivery
from flowforge.engine.executor import Executor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.events import TriggerEvent
from flowforge.executions import dead_letters
from flowforge.wiring import Backends
from flowforge.workflows.views import WorkflowView
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.waiting import eventually

Action = dict[str, Any]
WAIT: Action = {"type": "WAIT", "config": {"seconds": 0.1}}
DEEP = "[" * 210 + "]" * 210


@pytest.fixture
def redelivery_grace() -> float:
    return 0.0


@contextmanager
def refusing(backends: Backends, what: str, condition: str, sqlstate: str = "P0001") -> Iterator[None]:
    """PostgreSQL raises an error of its own, no lost connection, for rows that meet the condition."""
    table = what.split()[-1]
    with backends.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{sqlstate}'; END $$"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE {what} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION public.refuse()"
        )
    try:
        yield
    finally:
        with backends.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TRIGGER refuse ON {table}; DROP FUNCTION public.refuse()")


def deep_payload() -> dict[str, Any]:
    value: Any = []
    for _ in range(209):
        value = [value]
    return {"body": value}


def wrapped(value: Any, levels: int = 60) -> Any:
    for _ in range(levels):
        value = [value]
    return value


class TestValuesMadeOnTheWay:
    """They are judged where they are made, and a breach is that step's error."""

    @pytest.mark.parametrize(
        "action",
        [
            {"type": "STOP", "config": {"output": wrapped("{{ trigger.body }}")}},
            {"type": "RESPOND", "config": {"body": wrapped("{{ trigger.body }}")}},
            {"type": "FOR_EACH", "config": {"items": wrapped("{{ trigger.body }}")}, "actions": [transform(a=1)]},
            {
                "type": "FOR_EACH",
                "config": {"items": [1], "collect": wrapped("{{ trigger.body }}")},
                "actions": [transform(a=1)],
            },
        ],
    )
    @pytest.mark.parametrize("waits", [True, False])
    def test_nested_too_deeply(self, pipeline: Pipeline, action: Action, waits: bool) -> None:
        actions = [WAIT, action] if waits else [action]
        workflow = pipeline.workflow(*actions)
        with working(pipeline.backends):
            failed = pipeline.finished(pipeline.accept(workflow.id, deep_payload()).event_id)
        assert failed.error is not None
        assert "it is nested too deeply" in failed.error["message"]
        assert failed.error["stepIndex"] == len(actions) - 1
        assert letters(pipeline) == []

    def test_the_payload_of_a_call(self, pipeline: Pipeline) -> None:
        called = pipeline.workflow()
        payload = {"p": wrapped("{{ trigger.body }}")}
        call = {"type": "RUN_WORKFLOW", "config": {"workflowId": str(called.id), "payload": payload}}
        workflow = pipeline.workflow({**call, "onError": "continue"}, transform(why="{{ steps.step_0.error.message }}"))
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, deep_payload()).event_id)
        assert done.status == "COMPLETED"
        assert "it is nested too deeply" in done.step_outputs["step_1"]["why"]  # type: ignore[index]

    def test_half_a_character_in_an_errors_text(self, pipeline: Pipeline) -> None:
        stop = {"type": "STOP", "config": {"output": '{{ trigger.body["\\ud800"] }}'}}
        read = {"type": "TRANSFORM", "config": {"output": {"a": '{{ trigger.body["\\ud800"] }}'}}}
        ends = []
        with working(pipeline.backends):
            for action in (stop, read):
                event = pipeline.accept(pipeline.workflow(action).id, {"body": {}})
                ends.append(pipeline.finished(event.event_id).error)
        assert ["trigger.body has no" in end["message"] for end in ends if end] == [True, True]


class TestWhatTimeBrings:
    """An unforeseen error in the orchestrator's own work."""

    def among_others(self, pipeline: Pipeline, what: str, condition: str, *actions: Action, **more: Any) -> Any:
        """The error of the execution the condition is about, after others of the same kind have completed."""
        poison, others = pipeline.workflow(*actions, **more), pipeline.workflow(*actions, **more)
        condition = condition.replace("POISON", str(poison.id))
        with refusing(pipeline.backends, what, condition), working(pipeline.backends):
            bad = pipeline.accept(poison.id)
            good = [pipeline.accept(others.id) for _ in range(3)]
            failed = pipeline.finished(bad.event_id)
            after = pipeline.accept(others.id)
            completed = [pipeline.finished(event.event_id).status for event in (*good, after)]
            assert pipeline.resend() == redelivery.Redelivered()
        return failed, completed

    def test_the_end_of_a_wait(self, pipeline: Pipeline) -> None:
        failed, completed = self.among_others(
            pipeline,
            "INSERT ON orchestrator.step_attempts",
            "NEW.workflow_id = 'POISON' AND NEW.step_index = 1",
            WAIT,
            transform(a=1),
        )
        assert failed.status == "FAILED"
        assert "refused by the test" in failed.error["message"]
        assert [one.state for one in pipeline.attempts(failed.id)] == ["APPLIED"]
        assert completed == ["COMPLETED"] * 4

    def test_a_retry(self, pipeline: Pipeline) -> None:
        broken = {**transform(x="{{ trigger.none }}"), "retry": {"attempts": 2, "delay": 0.1}}
        fails = {"type": "HTTP_REQUEST", "config": {"url": "http://127.0.0.1:1/"}, "retry": broken["retry"]}
        failed, ended = self.among_others(
            pipeline,
            "UPDATE ON orchestrator.step_attempts",
            "NEW.workflow_id = 'POISON' AND OLD.sent_at IS NULL AND NEW.sent_at IS NOT NULL",
            fails,
        )
        assert "refused by the test" in failed.error["message"]
        assert ended == ["FAILED"] * 4  # after their second attempt
        assert [one.attempt for one in pipeline.attempts(failed.id)] == [1, 2]

    def test_a_time_limit(self, pipeline: Pipeline) -> None:
        failed, ended = self.among_others(
            pipeline,
            "UPDATE ON orchestrator.workflow_executions",
            "NEW.workflow_id = 'POISON' AND NEW.error->>'message' LIKE '%%longer than its limit%%'",
            {"type": "WAIT", "config": {"seconds": 3600}},
            settings={"timeout": 1},
        )
        assert "refused by the test" in failed.error["message"]
        assert ended == ["FAILED"] * 4

    def test_a_permit(self, pipeline: Pipeline) -> None:
        limited = {"concurrency": {"limit": 1, "onLimit": "queue"}}
        workflow = pipeline.workflow(WAIT, settings=limited)
        condition = f"NEW.workflow_id = '{workflow.id}' AND OLD.status = 'PENDING' AND NEW.status = 'RUNNING'"
        what = "UPDATE ON orchestrator.workflow_executions"
        with refusing(pipeline.backends, what, condition), working(pipeline.backends):
            accepted = [pipeline.accept(workflow.id) for _ in range(3)]
            ends = [pipeline.finished(event.event_id).status for event in accepted]
        assert ends.count("COMPLETED") >= 1
        assert set(ends) <= {"COMPLETED", "FAILED"}

    def test_the_execution_that_called_it_goes_on(self, pipeline: Pipeline) -> None:
        called = pipeline.workflow(WAIT, transform(a=1))
        caller = pipeline.workflow({"type": "RUN_WORKFLOW", "config": {"workflowId": str(called.id)}})
        condition = f"NEW.workflow_id = '{called.id}' AND NEW.step_index = 1"
        with (
            refusing(pipeline.backends, "INSERT ON orchestrator.step_attempts", condition),
            working(pipeline.backends),
        ):
            failed = pipeline.finished(pipeline.accept(caller.id).event_id)
        assert failed.error is not None
        assert "refused by the test" in failed.error["message"]


class TestMessages:
    """One that makes its consumer fail is buried, and what it is about ends with it."""

    def test_an_event(self, pipeline: Pipeline) -> None:
        poison, other = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1))
        with refused_inserts(pipeline, poison), working(pipeline.backends, Orchestrator, Executor):
            bad, good = pipeline.accept(poison.id), pipeline.accept(other.id)
            failed = pipeline.finished(bad.event_id)
            assert pipeline.finished(good.event_id).status == "COMPLETED"
            assert failed.status == "FAILED"
            assert failed.error is not None
            assert "refused by the test" in failed.error["message"]
            assert_nothing_is_sent_again(pipeline, letters_expected=1)
            send_letters_again(pipeline)
            eventually(lambda: sum(pipeline.backends.bus.lag().values()) == 0)
        assert pipeline.count_of(poison.id) == 1

    def test_an_event_that_leads_to_no_execution(self, pipeline: Pipeline) -> None:
        poison = pipeline.workflow(transform(a=1))
        what, condition = "INSERT ON orchestrator.workflow_executions", f"NEW.workflow_id = '{poison.id}'"
        with refusing(pipeline.backends, what, condition), working(pipeline.backends, Orchestrator):
            event = pipeline.accept(poison.id)
            reason = eventually(lambda: pipeline.dropped_because(event.event_id))
            assert "refused by the test" in reason
            assert_nothing_is_sent_again(pipeline, letters_expected=1)

    def test_a_result(self, pipeline: Pipeline) -> None:
        poison, other = (pipeline.workflow(transform(a=1), transform(b=2)) for _ in range(2))
        with refused_inserts(pipeline, poison, step=1), working(pipeline.backends, Orchestrator, Executor):
            bad, good = pipeline.accept(poison.id), pipeline.accept(other.id)
            failed = pipeline.finished(bad.event_id)
            assert pipeline.finished(good.event_id).status == "COMPLETED"
            assert failed.error is not None
            assert "refused by the test" in failed.error["message"]
            assert [one.state for one in pipeline.attempts(failed.id)] == ["APPLIED"]
            assert_nothing_is_sent_again(pipeline, letters_expected=1)
            send_letters_again(pipeline)
            eventually(lambda: sum(pipeline.backends.bus.lag().values()) == 0)
        assert pipeline.finished(bad.event_id).error == failed.error

    def test_a_result_for_whose_slot_another_execution_waits(self, pipeline: Pipeline) -> None:
        """It begins at once, not with the next look at what waits."""
        patient = partial(Orchestrator, look_for_due_every=3600)
        limited = pipeline.workflow(transform(a=1), transform(b=2), settings={"concurrency": {"limit": 1}})
        with refused_inserts(pipeline, limited, step=1), working(pipeline.backends, patient, Executor):
            accepted = [pipeline.accept(limited.id) for _ in range(2)]
            ends = [pipeline.finished(event.event_id).error or {} for event in accepted]
        assert ["refused by the test" in end["message"] for end in ends] == [True, True]

    def test_the_result_of_another_executor(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(a=1))
        with working(pipeline.backends, Orchestrator):
            event = pipeline.accept(workflow.id)
            row = pipeline.started(event.event_id)
            raw = (
                f'{{"executionId": "{row.id}", "workflowId": "{workflow.id}", "userId": "{OWNER}", "stepIndex": 0,'
                f' "status": "SUCCESS", "output": {{"a": {"[" * 300 + "]" * 300}}}}}'
            )
            pipeline.backends.bus.publish([Message(events.EXECUTION_RESULT, "k", raw.encode())])
            failed = pipeline.finished(event.event_id)
            assert failed.status == "FAILED"
            assert_nothing_is_sent_again(pipeline, letters_expected=1)
        assert [one.state for one in pipeline.attempts(failed.id)] == ["APPLIED"]

    def test_a_start_that_no_executor_can_begin(self, pipeline: Pipeline) -> None:
        poison, other = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1))
        what = "UPDATE ON orchestrator.step_attempts"
        condition = f"NEW.workflow_id = '{poison.id}' AND NEW.state = 'RUNNING'"
        with refusing(pipeline.backends, what, condition), working(pipeline.backends, Orchestrator, Executor):
            bad, good = pipeline.accept(poison.id), pipeline.accept(other.id)
            assert pipeline.finished(good.event_id).status == "COMPLETED"
            eventually(lambda: pipeline.resend() and pipeline.over(bad.event_id))
            assert_nothing_is_sent_again(pipeline, letters_expected=1)
        failed = pipeline.finished(bad.event_id)
        assert failed.error is not None
        assert "refused by the test" in failed.error["message"]

    def test_a_parked_step_that_no_executor_can_begin(self, pipeline: Pipeline) -> None:
        poison, other = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1))
        with working(pipeline.backends, Orchestrator):
            accepted = [pipeline.accept(workflow.id) for workflow in (poison, other)]
            eventually(lambda: all(pipeline.execution(event.event_id) for event in accepted))
        pipeline.backends.redis.flushall()
        pipeline.change_attempts("parked = true")
        what = "UPDATE ON orchestrator.step_attempts"
        condition = f"NEW.workflow_id = '{poison.id}' AND NEW.state = 'RUNNING'"
        with refusing(pipeline.backends, what, condition), working(pipeline.backends, Orchestrator, Executor):
            eventually(lambda: pipeline.resend() and all(pipeline.over(event.event_id) for event in accepted))
        assert [pipeline.finished(event.event_id).status for event in accepted] == ["FAILED", "COMPLETED"]

    def test_a_start_whose_message_cannot_be_made_again(self, pipeline: Pipeline) -> None:
        poison, other = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1))
        with working(pipeline.backends, Orchestrator):
            accepted = [pipeline.accept(workflow.id) for workflow in (poison, other)]
            eventually(lambda: all(pipeline.execution(event.event_id) for event in accepted))
        pipeline.backends.redis.flushall()
        nested = '{"a":' * 300 + "1" + "}" * 300
        with pipeline.backends.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE workflow.workflow_versions SET definition ="
                    " jsonb_set(definition, '{actions,0,config}', CAST(:nested AS jsonb)) WHERE workflow_id = :id"
                ),
                {"nested": nested, "id": poison.id},
            )
        assert pipeline.resend().starts == 1
        with working(pipeline.backends, Orchestrator, Executor):
            eventually(lambda: pipeline.resend() and all(pipeline.over(event.event_id) for event in accepted))
        assert [pipeline.finished(event.event_id).status for event in accepted] == ["FAILED", "COMPLETED"]

    def test_a_start_that_is_nested_too_deeply_for_the_log(self, pipeline: Pipeline) -> None:
        nested = '{"a":' * 700 + "1" + "}" * 700
        raw = (
            f'{{"executionId": "{uuid4()}", "workflowId": "{uuid4()}", "userId": "{OWNER}", "stepIndex": 0,'
            f' "actionType": "SLACK_MESSAGE", "actionConfig": {nested}}}'
        )
        workflow = pipeline.workflow(transform(a=1))
        with working(pipeline.backends, LogSink):
            pipeline.backends.bus.publish([Message(events.EXECUTION_START, "k", raw.encode())])
            event = pipeline.accept(workflow.id)
            eventually(lambda: letters(pipeline) and lines_of(pipeline, event.event_id))
        assert len(letters(pipeline)) == 1

    def test_a_key_that_postgresql_cannot_hold(self, pipeline: Pipeline) -> None:
        with working(pipeline.backends, Orchestrator):
            pipeline.backends.bus.publish([Message(events.TRIGGER_EVENTS, "a\0b", b"no JSON")])
            eventually(lambda: letters(pipeline))
        assert letters(pipeline)[0].key == "a\ufffdb"

    def test_an_event_of_another_trigger_service_that_cannot_be_kept(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(a=1))
        deep: Any = 1
        for _ in range(250):
            deep = {"a": deep}
        foreign = TriggerEvent(
            event_id=uuid4(),
            workflow_id=workflow.id,
            user_id=OWNER,
            trigger_type="webhook",
            timestamp=datetime.now(UTC),
        ).encode()
        raw = foreign.replace(b'"payload":{}', b'"payload":' + b'{"a":' * 400 + b"1" + b"}" * 400)
        assert raw != foreign
        with working(pipeline.backends, Orchestrator):
            pipeline.backends.bus.publish([Message(events.TRIGGER_EVENTS, "k", raw)])
            eventually(lambda: letters(pipeline))
            assert_nothing_is_sent_again(pipeline, letters_expected=1)


@contextmanager
def refused_inserts(pipeline: Pipeline, workflow: WorkflowView, step: int = 0) -> Iterator[None]:
    condition = f"NEW.workflow_id = '{workflow.id}' AND NEW.step_index = {step}"
    with refusing(pipeline.backends, "INSERT ON orchestrator.step_attempts", condition):
        yield


def assert_nothing_is_sent_again(pipeline: Pipeline, letters_expected: int) -> None:
    assert pipeline.resend() == redelivery.Redelivered()
    eventually(lambda: sum(lag for (_, group), lag in pipeline.backends.bus.lag().items() if "log" not in group) == 0)
    assert len(letters(pipeline)) == letters_expected


def send_letters_again(pipeline: Pipeline) -> None:
    for letter in letters(pipeline):
        with Session(pipeline.backends.engine) as session:
            dead_letters.send_again(session, pipeline.backends.bus, OWNER, letter.id)


def letters(pipeline: Pipeline) -> Sequence[DeadLetter]:
    with Session(pipeline.backends.engine) as session:
        return session.query(DeadLetter).all()


def lines_of(pipeline: Pipeline, event_id: UUID) -> int:
    with pipeline.backends.engine.connect() as connection:
        counted = text("SELECT count(*) FROM logbook.execution_logs WHERE event_id = :id")
        return int(connection.execute(counted, {"id": event_id}).scalar_one())
