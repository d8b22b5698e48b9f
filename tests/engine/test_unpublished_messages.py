"""Lines whose messages were never published: the log is whole all the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from flowforge import events, jsonio
from flowforge.engine.executor import Executor
from flowforge.engine.log_repair import unpublished_messages
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.engine.upkeep import repair_log
from flowforge.events import ExecutionEvent
from flowforge.logbook import LogEntry, LogQuery
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.statements import counting_statements
from tests.waiting import eventually

WHOLE = [
    ("EXECUTION", "COMPLETED"),
    ("EXECUTION", "STARTED"),
    ("RESULT", "SUCCESS"),
    ("START", "STARTED"),
    ("TRIGGER", "FIRED"),
]

write_unpublished_messages = partial(unpublished_messages.write_unpublished_messages, settled=0.0)


@pytest.fixture
def pipeline(pipeline: Pipeline) -> Pipeline:
    write_unpublished_messages(pipeline.backends)  # what ends from now on is looked at
    return pipeline


def ran(pipeline: Pipeline, count: int = 1) -> UUID:
    workflow = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"n": 1}}})
    with working(pipeline.backends, Orchestrator, Executor):
        accepted = [pipeline.accept(workflow.id) for _ in range(count)]
        return [pipeline.finished(event.event_id).id for event in accepted][-1]


def never_published(pipeline: Pipeline, status: str) -> None:
    """As if its process had been killed right after the commit."""
    stream = f"flowforge:{events.EXECUTION_EVENTS}"
    redis = pipeline.backends.redis
    published = [position for position, fields in redis.xrange(stream) if f'"{status}"'.encode() in fields[b"v"]]
    assert published
    redis.xdel(stream, *published)


def logged(pipeline: Pipeline, count: int) -> None:
    """The log sink has read what there is: so many lines."""
    with working(pipeline.backends, LogSink):
        eventually(lambda: len(lines(pipeline.backends)) == count)


def events_of(pipeline: Pipeline) -> list[bytes]:
    """What has been published of executions."""
    return [fields[b"v"] for _, fields in pipeline.backends.redis.xrange(f"flowforge:{events.EXECUTION_EVENTS}")]


def entries(backends: Backends) -> Sequence[LogEntry]:
    return backends.logbook.find(LogQuery(user_id=OWNER), page=0, size=100, newest_first=False).entries


def lines(backends: Backends) -> list[tuple[str, str]]:
    return sorted((entry.event_type, entry.status) for entry in entries(backends))


@pytest.mark.parametrize("status", ["STARTED", "COMPLETED"])
def test_a_line_that_was_not_published_is_written(pipeline: Pipeline, status: str) -> None:
    ran(pipeline)
    never_published(pipeline, status)
    logged(pipeline, len(WHOLE) - 1)
    assert ("EXECUTION", status) not in lines(pipeline.backends)
    repair_log(pipeline.backends, settled=0.0)
    assert lines(pipeline.backends) == WHOLE
    assert write_unpublished_messages(pipeline.backends) == 0


def test_a_result_that_was_not_published_is_written(pipeline: Pipeline) -> None:
    """Its executor has let the execution go on, and was killed then."""
    ran(pipeline)
    never_published(pipeline, "SUCCESS")
    logged(pipeline, len(WHOLE) - 1)
    assert ("RESULT", "SUCCESS") not in lines(pipeline.backends)
    assert write_unpublished_messages(pipeline.backends) == 1
    assert lines(pipeline.backends) == WHOLE


def test_a_retry_that_was_not_published_is_written_as_it_was(pipeline: Pipeline) -> None:
    fails = {
        "type": "HTTP_REQUEST",
        "config": {"url": "http://127.0.0.1:1/"},
        "retry": {"attempts": 3, "delay": 0.1},
    }
    event = pipeline.accept(pipeline.workflow(fails).id)
    with working(pipeline.backends, Orchestrator, Executor):
        execution_id = pipeline.finished(event.event_id).id
    published = [ExecutionEvent.decode(value) for value in events_of(pipeline) if b'"RETRYING"' in value]
    never_published(pipeline, "RETRYING")
    logged(pipeline, 9)

    assert write_unpublished_messages(pipeline.backends) == 1

    written = [entry.data or {} for entry in entries(pipeline.backends) if entry.status == "RETRYING"]
    for line, message in zip(written, published, strict=True):
        assert line | {"timestamp": ""} == jsonio.loads(message.encode()) | {"timestamp": ""}
    assert [line["attempt"] for line in written] == [1, 2]
    assert written[0]["executionId"] == str(execution_id)


def test_steps_of_a_loop_that_rests_are_no_retries(pipeline: Pipeline) -> None:
    """Its rests are attempts of the same step, in a row."""
    item = {"type": "BRANCH", "branches": [{"when": False, "actions": []}]}
    loop = {"type": "FOR_EACH", "config": {"items": list(range(1_200))}, "actions": [item]}
    workflow = pipeline.workflow(loop)
    with working(pipeline.backends, Orchestrator, Executor, LogSink):
        execution_id = pipeline.finished(pipeline.accept(workflow.id).event_id).id
        eventually(lambda: sum(pipeline.backends.bus.lag().values()) == 0)
    assert max(one.attempt for one in pipeline.attempts(execution_id)) > 1
    assert write_unpublished_messages(pipeline.backends) == 0


def test_a_log_that_is_whole_stays_as_it_is(pipeline: Pipeline) -> None:
    ran(pipeline)
    logged(pipeline, len(WHOLE))
    assert write_unpublished_messages(pipeline.backends) == 0
    assert lines(pipeline.backends) == WHOLE


def test_what_was_cancelled_before_it_began_has_not_started(pipeline: Pipeline) -> None:
    execution_id = ran(pipeline)
    with pipeline.backends.engine.begin() as connection:
        connection.execute(text("DELETE FROM orchestrator.step_attempts"))
        connection.execute(text("UPDATE orchestrator.workflow_executions SET status = 'CANCELLED'"))
    pipeline.backends.redis.flushall()
    assert write_unpublished_messages(pipeline.backends) == 1
    assert lines(pipeline.backends) == [("EXECUTION", "CANCELLED")]
    assert execution_id


def test_every_execution_is_looked_at_once(pipeline: Pipeline) -> None:
    """Also where many have ended in the same moment."""
    ran(pipeline, count=7)
    with pipeline.backends.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE orchestrator.workflow_executions SET finished_at = (SELECT max(finished_at) FROM"
                " orchestrator.workflow_executions)"
            )
        )
    pipeline.backends.redis.flushall()
    assert write_unpublished_messages(pipeline.backends, at_once=2) == 7
    with counting_statements(pipeline.backends.engine) as statements:
        assert write_unpublished_messages(pipeline.backends) == 0
    assert len(statements) <= 3
