"""Steps of code in the real pipeline: their data, their log, their secrets."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from flowforge.connections import named_secrets
from flowforge.engine.executor import Executor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.errors import Invalid
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.logged_data import logged_data
from tests.waiting import eventually


def code(text: str, **config: object) -> dict[str, object]:
    return {"type": "CODE", "id": "code", "config": {"code": text, **config}}


def test_it_works_on_the_data_of_earlier_steps_and_later_ones_on_its_result(backends: Backends) -> None:
    pipeline = Pipeline(backends)
    workflow = pipeline.workflow(
        code("return input.rows.filter((row) => row.n > 1)", input={"rows": "{{ trigger.rows }}"}),
        {"type": "TRANSFORM", "config": {"output": {"first": "{{ steps.code.result[0].n }}"}}},
    )
    with working(backends, Orchestrator, Executor):
        done = pipeline.finished(pipeline.accept(workflow.id, {"rows": [{"n": 1}, {"n": 2}]}).event_id)
    assert done.status == "COMPLETED"
    assert done.step_outputs["step_1"] == {"first": 2}


def test_what_it_writes_stands_in_the_log(backends: Backends) -> None:
    pipeline = Pipeline(backends)
    workflow = pipeline.workflow(code("console.log('seen', input); throw new Error('no')", input={"n": 1}))
    with working(backends, Orchestrator, Executor, LogSink):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
        assert failed.error is not None
        assert failed.error["message"] == "line 1: Error: no"
        with backends.engine.connect() as connection:
            lines = eventually(lambda: logged_data(connection, "LOG"))
    assert [line["message"] for line in lines] == ['seen {"n":1}']


def test_it_cannot_be_saved_with_an_error_in_its_code(backends: Backends) -> None:
    with pytest.raises(Invalid, match=r"/actions/0/config/code: line 1: SyntaxError"):
        Pipeline(backends).workflow(code("return ("))


def test_secrets_are_not_given_to_code(backends: Backends) -> None:
    pipeline = Pipeline(backends)
    with Session(backends.engine) as session:
        named_secrets.put_secret(session, backends.vault, OWNER, "token", "correct-horse-battery")
    workflow = pipeline.workflow(code("return input.token.split('').reverse()", input={"token": "{{ secrets.token }}"}))
    with working(backends, Orchestrator, Executor):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.step_outputs["step_0"]["result"] == list(reversed(MASK))


def test_fifty_that_never_end_delay_no_other_workflow(backends: Backends) -> None:
    """All of them take 25 seconds at least."""
    hostile, other = Pipeline(backends), Pipeline(backends, owner=uuid4())
    endless = hostile.workflow(code("while (true) {}", seconds=1))
    innocent = other.workflow(
        {"type": "TRANSFORM", "config": {"output": {"n": 1}}}, code("return input.n", input={"n": 2})
    )
    with working(backends, Orchestrator, Executor):
        events = [hostile.accept(endless.id) for _ in range(50)]
        hostile.started(events[-1].event_id)
        done = other.finished(other.accept(innocent.id).event_id)
        ended = sum(hostile.over(event.event_id) is not None for event in events)
    assert done.status == "COMPLETED"
    assert ended < 25
