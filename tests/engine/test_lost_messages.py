"""A Valkey that is emptied before the log sink has read: the log is whole all the same."""

from __future__ import annotations

from redis import Redis
from sqlalchemy import text

from flowforge.engine.executor import Executor
from flowforge.engine.log_repair.lost_messages import write_lost_messages
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.logbook import LogQuery
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, working


def ran_without_log(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"n": 1}}})
    with working(pipeline.backends, Orchestrator, Executor):
        pipeline.finished(pipeline.accept(workflow.id).event_id)


def lines(backends: Backends) -> list[tuple[str, str]]:
    found = backends.logbook.find(LogQuery(user_id=OWNER), page=0, size=100, newest_first=False)
    return sorted((entry.event_type, entry.status) for entry in found.entries)


WHOLE = [
    ("EXECUTION", "COMPLETED"),
    ("EXECUTION", "STARTED"),
    ("RESULT", "SUCCESS"),
    ("START", "STARTED"),
    ("TRIGGER", "FIRED"),
]


def test_what_was_lost_is_written(pipeline: Pipeline, redis_url: str) -> None:
    assert write_lost_messages(pipeline.backends) == 0
    ran_without_log(pipeline)
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    assert write_lost_messages(pipeline.backends) == 1
    assert lines(pipeline.backends) == WHOLE
    assert write_lost_messages(pipeline.backends) == 0


def test_lines_that_are_there_stay_as_they_are(pipeline: Pipeline, redis_url: str) -> None:
    write_lost_messages(pipeline.backends)
    ran_without_log(pipeline)
    with working(pipeline.backends, LogSink):
        pass
    before = lines(pipeline.backends)
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    write_lost_messages(pipeline.backends)
    assert lines(pipeline.backends) == WHOLE
    assert set(before) <= set(WHOLE)


def emptied(pipeline: Pipeline, executions: int) -> None:
    """So many executions have run, and the bus was emptied before the log sink had read of them."""
    write_lost_messages(pipeline.backends)
    for _ in range(executions):
        ran_without_log(pipeline)
    pipeline.backends.redis.flushall()


def test_a_round_is_bounded_and_the_next_one_goes_on(pipeline: Pipeline) -> None:
    emptied(pipeline, executions=3)
    assert [write_lost_messages(pipeline.backends, seconds=0, at_once=1) for _ in range(4)] == [1, 1, 1, 0]
    assert lines(pipeline.backends) == sorted(WHOLE * 3)


def test_a_bus_that_is_emptied_again_during_the_repair_is_repaired_from_there(pipeline: Pipeline) -> None:
    emptied(pipeline, executions=2)
    assert write_lost_messages(pipeline.backends, seconds=0, at_once=1) == 1
    emptied(pipeline, executions=1)
    assert write_lost_messages(pipeline.backends) == 3
    assert lines(pipeline.backends) == sorted(WHOLE * 3)


def test_one_execution_that_cannot_be_written_does_not_hold_up_the_others(pipeline: Pipeline) -> None:
    emptied(pipeline, executions=2)
    with pipeline.backends.engine.begin() as connection:
        strange = "UPDATE orchestrator.step_attempts SET error = '[1]' WHERE execution_id = (SELECT execution_id FROM"
        connection.execute(text(strange + " orchestrator.step_attempts LIMIT 1)"))
    assert write_lost_messages(pipeline.backends) == 2
    assert lines(pipeline.backends) == WHOLE


def test_a_bus_that_is_whole_costs_nothing(pipeline: Pipeline) -> None:
    write_lost_messages(pipeline.backends)
    ran_without_log(pipeline)
    assert write_lost_messages(pipeline.backends) == 0
    assert lines(pipeline.backends) == []
