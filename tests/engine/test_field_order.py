"""The order of fields, from what comes in to what is given and sent: PostgreSQL's jsonb sorts them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge.engine import answers
from flowforge.engine.answers import Answer
from flowforge.executions import executions, frames, replays
from flowforge.executions.replay_requests import ReplayRequest
from flowforge.preview.last_outputs import last_outputs
from flowforge.workflows import pins
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working

ROW = {"zip": "1010", "name": "Ann", "email": "a@example.org", "id": 7}
ROWS = [ROW, {"id": 8, "name": "Bo", "zip": "1020", "email": "b@example.org"}, {"$type": "circle", "id": 9, "r": 2}]


def written(value: Any) -> str:
    return json.dumps(value)


def output(pipeline: Pipeline, execution_id: UUID, key: str) -> Any:
    with Session(pipeline.backends.engine) as session:
        return executions.output(session, OWNER, execution_id, key)


class TestAnExecution:
    def test_small_and_large_events_are_read_in_the_same_order(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(
            {**transform(rows="{{ trigger.rows }}"), "id": "first"},
            {**transform(names="{{ trigger.rows[0] | keys }}", again="{{ steps.first.rows }}"), "id": "second"},
        )
        for pad in (0, 400_000):
            with working(pipeline.backends):
                done = pipeline.finished(pipeline.accept(workflow.id, {"pad": "x" * pad, "rows": ROWS}).event_id)
            assert written(output(pipeline, done.id, "step_0")["rows"]) == written(ROWS)
            assert written(output(pipeline, done.id, "step_1")) == written({"names": list(ROW), "again": ROWS})

    def test_people_see_it_in_its_order(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow({**transform(rows="{{ trigger.rows }}"), "id": "first"})
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, {"rows": ROWS}).event_id)
        with Session(pipeline.backends.engine) as session:
            [listed] = executions.find(session, OWNER, workflow_id=workflow.id).executions
            whole = executions.whole(session, OWNER, done.id)
            known = last_outputs(session, workflow.id, in_loops=False)
        for view in (listed, whole):
            assert view.trigger_payload is not None
            assert view.step_outputs is not None
            assert (
                written(view.trigger_payload["rows"]) == written(view.step_outputs["step_0"]["rows"]) == written(ROWS)
            )
        assert written(known.trigger) == written({"rows": ROWS})
        assert written(list(known.outputs.values())) == written([{"rows": ROWS}])

    def test_a_replay_has_the_order_of_the_first_run(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(rows="{{ trigger.rows }}"), transform(rows="{{ steps.step_0.rows }}"))
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, {"rows": ROWS}).event_id)
            with Session(pipeline.backends.engine) as session:
                again = [
                    replays.replay(session, pipeline.backends, OWNER, done.id, ReplayRequest.read(request))
                    for request in ({}, {"from": "step_1"}, {"payload": {"rows": ROWS[::-1]}})
                ]
            ended = [pipeline.finished(each.event_id) for each in again]
        rows = [output(pipeline, each.id, "step_1")["rows"] for each in ended]
        assert list(map(written, rows)) == list(map(written, (ROWS, ROWS, ROWS[::-1])))

    def test_the_columns_of_the_contract_hold_nothing_else(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(row="{{ trigger.row }}"))
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, {"row": ROW}).event_id)
        wanted = text("SELECT trigger_payload, step_outputs FROM orchestrator.workflow_executions WHERE id = :id")
        with pipeline.backends.engine.connect() as connection:
            payload, outputs = connection.execute(wanted, {"id": done.id}).one()
        assert payload == {"row": ROW}
        assert outputs == {"step_0": {"row": ROW}}

    def test_nothing_is_kept_where_postgresql_keeps_the_order(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(a="{{ trigger.row }}"))
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, {"row": {"id": 1, "name": 2}}).event_id)
        assert (done.payload_order, done.outputs_order) == (None, None)


class TestBlocks:
    def test_loops_give_items_and_results_in_their_order(self, pipeline: Pipeline) -> None:
        loop = {
            "type": "FOR_EACH",
            "id": "each",
            "config": {"items": "{{ trigger.rows }}", "collect": "{{ steps.copy.row }}"},
            "actions": [
                {**transform(row="{{ item }}"), "id": "copy"},
                transform(copied="{{ steps.copy.row }}", outside="{{ trigger.rows }}"),
            ],
        }
        workflow = pipeline.workflow(loop, transform(all="{{ steps.each.results }}"))
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, {"rows": ROWS}).event_id)
        assert written(output(pipeline, done.id, "step_3")["all"]) == written(ROWS)
        with Session(pipeline.backends.engine) as session:
            seen = frames.page(session, done.id, 0, 0)
            copied = frames.output(session, done.id, seen[0].number, "step_2")
        assert [written(frame.item) for frame in seen] == [written(frame.result) for frame in seen]
        assert [written(frame.item) for frame in seen] == list(map(written, ROWS))
        assert written(copied) == written({"copied": ROW, "outside": ROWS})

    def test_what_a_repeat_carries_keeps_its_order(self, pipeline: Pipeline) -> None:
        repeat = {
            "type": "REPEAT",
            "config": {
                "until": "{{ round.number == 3 }}",
                "start": "{{ trigger.row }}",
                "carry": "{{ steps.page.row }}",
            },
            "actions": [{**transform(row="{{ carry }}"), "id": "page"}],
        }
        workflow = pipeline.workflow(repeat)
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, {"row": ROW}).event_id)
        assert done.error is None
        assert written(output(pipeline, done.id, "step_0")["carry"]) == written(ROW)

    def test_called_workflows_get_and_give_it(self, pipeline: Pipeline) -> None:
        called = pipeline.workflow(transform(row="{{ trigger.row }}"), name="called")
        call = {
            "type": "RUN_WORKFLOW",
            "config": {"workflowId": str(called.id), "payload": {"row": "{{ trigger.row }}"}},
        }
        workflow = pipeline.workflow(call, transform(got="{{ steps.step_0 }}"), name="calling")
        with working(pipeline.backends):
            done = pipeline.finished(pipeline.accept(workflow.id, {"row": ROW}).event_id)
        assert done.error is None
        assert written(ROW) in written(output(pipeline, done.id, "step_1"))


def test_an_answer_is_given_as_it_is_written(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({"type": "RESPOND", "config": {"body": {"$type": "circle", "id": "{{ trigger.id }}"}}})
    event = pipeline.accept(workflow.id, {"id": 7})
    with pipeline.backends.engine.begin() as connection:
        connection.execute(
            text("UPDATE trigger_service.trigger_events SET awaited_by = :by WHERE id = :id"),
            {"by": '{"caller": "by a RESPOND step"}', "id": event.event_id},
        )
    with working(pipeline.backends):
        pipeline.finished(event.event_id)
    found = answers.find_pending(pipeline.backends.engine, event.event_id)
    assert found is not None
    assert isinstance(found.answer, Answer)
    assert written(found.answer.body) == written({"$type": "circle", "id": 7})


def test_results_and_pinned_outputs_keep_it(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(
        {**transform(row="{{ trigger.row }}"), "id": "first"},
        {"type": "STOP", "config": {"output": {"zip": "{{ trigger.row.zip }}", "id": "{{ trigger.row.id }}"}}},
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"row": ROW}).event_id)
    with Session(pipeline.backends.engine) as session:
        assert written(executions.get(session, OWNER, done.id).result) == written({"zip": "1010", "id": 7})
        pins.pin(session, workflow.id, "first", {"row": ROW})
        assert written(pins.pinned_outputs(session, workflow.id)) == written({"first": {"row": ROW}})
        pins.pin(session, workflow.id, "first", {"id": 1})
        assert written(pins.pinned_outputs(session, workflow.id)) == written({"first": {"id": 1}})
