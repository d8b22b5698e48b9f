"""Blocks through the real workers: what is in PostgreSQL afterwards, and what was called."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.executions import waits
from flowforge.resume_links import WaitKey
from flowforge.triggers.registrations import Triggers
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.workflows import Workflows
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.statements import counting_statements
from tests.waiting import eventually

Action = dict[str, Any]


def test_a_branch_goes_one_way_and_the_steps_keep_their_numbers(pipeline: Pipeline) -> None:
    branch = {
        "type": "BRANCH",
        "branches": [{"name": "large", "when": "{{ trigger.total > 100 }}", "actions": [transform(size="large")]}],
        "else": [{**transform(size="small"), "id": "small"}],
    }
    workflow = pipeline.workflow(branch, transform(seen="{{ steps.small.size | default('none') }}"))
    with working(pipeline.backends):
        large = pipeline.finished(pipeline.accept(workflow.id, {"total": 200}).event_id)
        small = pipeline.finished(pipeline.accept(workflow.id, {"total": 2}).event_id)
    assert large.step_outputs == {
        "step_0": {"branch": "large"},
        "step_1": {"size": "large"},
        "step_3": {"seen": "none"},
    }
    assert small.step_outputs == {
        "step_0": {"branch": "else"},
        "step_2": {"size": "small"},
        "step_3": {"seen": "small"},
    }
    assert (large.status, large.current_step) == ("COMPLETED", 4)


def test_a_loop_runs_its_steps_for_every_item_and_collects(pipeline: Pipeline) -> None:
    loop = {
        "type": "FOR_EACH",
        "id": "each",
        "config": {"items": "{{ trigger.items }}", "concurrency": 3, "collect": "{{ steps.double.n }}"},
        "actions": [{**transform(n="{{ item * 2 }}"), "id": "double"}, transform(of="{{ loop.number }}")],
    }
    workflow = pipeline.workflow(loop, transform(all="{{ steps.each.results | join(',') }}"))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"items": list(range(10))}).event_id)
    assert done.error is None
    assert done.step_outputs["step_0"] == {"count": 10, "failed": 0, "results": [2 * n for n in range(10)]}
    assert done.step_outputs["step_3"] == {"all": "0,2,4,6,8,10,12,14,16,18"}


def test_loops_in_loops_see_the_outer_item(pipeline: Pipeline) -> None:
    inner = {
        "type": "FOR_EACH",
        "config": {"items": "{{ item.members }}"},
        "actions": [transform(text="{{ loop.parent.item.name ~ item }}")],
    }
    outer = {"type": "FOR_EACH", "config": {"items": "{{ trigger.teams }}"}, "actions": [inner]}
    workflow = pipeline.workflow(outer)
    teams = [{"name": "a", "members": [1, 2]}, {"name": "b", "members": []}]
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"teams": teams}).event_id)
    results = done.step_outputs["step_0"]["results"]
    assert [[one["text"] for one in inner["results"]] for inner in results] == [["a1", "a2"], []]


def test_a_failing_item_stops_the_loop_or_is_its_result(pipeline: Pipeline) -> None:
    def loop(**config: object) -> Action:
        step = {**transform(n="{{ 10 / item }}"), "id": "divide"}
        return {"type": "FOR_EACH", "config": {"items": [1, 0, 2], **config}, "actions": [step]}

    stopping, going_on = pipeline.workflow(loop()), pipeline.workflow(loop(onItemError="continue"))
    with working(pipeline.backends):
        stopped = pipeline.finished(pipeline.accept(stopping.id).event_id)
        done = pipeline.finished(pipeline.accept(going_on.id).event_id)
    assert stopped.status == "FAILED"
    assert (stopped.error["step"], stopped.error["item"]) == ("divide", 1)
    results = done.step_outputs["step_0"]["results"]
    assert (results[0], results[2], results[1]["error"]["step"]) == ({"n": 10.0}, {"n": 5.0}, "divide")


def test_parallel_branches_meet_and_their_outputs_are_there(pipeline: Pipeline) -> None:
    parallel = {
        "type": "PARALLEL",
        "branches": [
            {"name": "left", "actions": [{**transform(x=1), "id": "left"}]},
            {"name": "right", "actions": [{**transform(y="{{ trigger.y }}"), "id": "right"}]},
        ],
    }
    workflow = pipeline.workflow(parallel, transform(sum="{{ steps.left.x + steps.right.y }}"))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"y": 4}).event_id)
    assert done.step_outputs["step_0"] == {"branches": {"left": {"x": 1}, "right": {"y": 4}}}
    assert done.step_outputs["step_3"] == {"sum": 5}


def test_an_error_is_handled_by_actions_or_passed_over(pipeline: Pipeline) -> None:
    fails = transform(x="{{ trigger.missing }}")
    workflow = pipeline.workflow(
        {**fails, "id": "first", "onError": [transform(why="{{ error.message }}", step="{{ error.step }}")]},
        {**fails, "id": "second", "onError": "continue"},
        transform(second="{{ steps.second.error is defined }}"),
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.status == "COMPLETED"
    assert done.step_outputs["step_1"]["step"] == "first"
    assert "missing" in done.step_outputs["step_1"]["why"]
    assert done.step_outputs["step_3"] == {"second": True}


def test_a_step_whose_condition_is_not_met_is_passed_over(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({**transform(a=1), "when": "{{ trigger.go }}"}, transform(b=2))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"go": False}).event_id)
    assert done.step_outputs == {"step_1": {"b": 2}}


def test_a_wait_rests_without_a_thread_and_goes_on(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({"type": "WAIT", "config": {"seconds": 0.2}}, transform(after=True))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert (done.status, done.step_outputs["step_1"]) == ("COMPLETED", {"after": True})


def test_stop_ends_the_execution_wherever_it_stands(pipeline: Pipeline) -> None:
    stop = {"type": "STOP", "config": {"status": "failed", "message": "no {{ item }}"}, "when": "{{ item == 2 }}"}
    loop = {"type": "FOR_EACH", "config": {"items": [1, 2, 3]}, "actions": [stop, transform(n="{{ item }}")]}
    workflow = pipeline.workflow(loop, transform(never=True))
    with working(pipeline.backends):
        ended = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert (ended.status, ended.error["message"]) == ("FAILED", "no 2")


def test_a_workflow_calls_another_and_uses_its_result(pipeline: Pipeline) -> None:
    child = pipeline.workflow(transform(twice="{{ trigger.n * 2 }}"))
    call = {
        "type": "RUN_WORKFLOW",
        "id": "call",
        "config": {"workflowId": str(child.id), "payload": {"n": "{{ trigger.n }}"}},
    }
    parent = pipeline.workflow(call, transform(got="{{ steps.call.result.twice }}"))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(parent.id, {"n": 21}).event_id)
    assert done.step_outputs["step_1"] == {"got": 42}


@pytest.mark.parametrize("broken", ["failing", "disabled", "deleted"])
def test_a_called_workflow_that_does_not_complete_fails_the_step(pipeline: Pipeline, broken: str) -> None:
    child = pipeline.workflow(transform(x="{{ trigger.nothing }}"), enabled=broken != "disabled")
    parent = pipeline.workflow({"type": "RUN_WORKFLOW", "config": {"workflowId": str(child.id)}})
    if broken == "deleted":
        with Session(pipeline.backends.engine) as session:
            made = Workflows(
                load_catalog(), pipeline.backends.vault, Triggers(pipeline.backends.settings, pipeline.backends.vault)
            )
            made.delete(session, OWNER, child.id)
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(parent.id).event_id)
    words = {"failing": "did not complete", "disabled": "disabled", "deleted": "does not exist"}[broken]
    assert failed.status == "FAILED"
    assert words in failed.error["message"]


def test_workflows_that_call_one_another_without_end_are_stopped(pipeline: Pipeline) -> None:
    call = {"type": "RUN_WORKFLOW", "config": {"workflowId": "{{ workflow.id }}"}}
    workflow = pipeline.workflow(call)
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert failed.status == "FAILED"
    assert "deep" in failed.error["message"]


def test_an_execution_ends_at_its_time_limit(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({"type": "WAIT", "config": {"seconds": 3600}}, settings={"timeout": 0.2})
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert failed.status == "FAILED"
    assert "0.2 seconds" in failed.error["message"]


def test_a_loop_without_actions_of_connectors_needs_no_executor(pipeline: Pipeline) -> None:
    inside = {"type": "BRANCH", "branches": [{"name": "odd", "when": "{{ item is odd }}", "actions": []}]}
    loop = {"type": "FOR_EACH", "config": {"items": "{{ trigger.items }}"}, "actions": [inside]}
    workflow = pipeline.workflow(loop)
    with working(pipeline.backends, Orchestrator):
        done = pipeline.finished(pipeline.accept(workflow.id, {"items": list(range(1200))}).event_id)
    assert done.step_outputs["step_0"]["count"] == 1200
    assert done.step_outputs["step_0"]["results"][:2] == [{"branch": None}, {"branch": "odd"}]


def test_the_statements_of_a_loop_do_not_grow_with_what_was_done_before(pipeline: Pipeline) -> None:
    """Linear in items: each item costs the same few statements."""

    def statements(items: int) -> int:
        loop = {"type": "FOR_EACH", "config": {"items": list(range(items))}, "actions": [transform(n="{{ item }}")]}
        workflow = pipeline.workflow(loop)
        with counting_statements(pipeline.backends.engine) as seen, working(pipeline.backends, Orchestrator, Executor):
            pipeline.finished(pipeline.accept(workflow.id).event_id)
        return sum("step_frames" in statement for statement in seen)

    few, many = statements(5), statements(50)
    assert (many - few) / 45 <= 4


def test_frames_go_with_their_execution(pipeline: Pipeline) -> None:
    loop = {"type": "FOR_EACH", "config": {"items": [1, 2]}, "actions": [transform(n=1)]}
    workflow = pipeline.workflow(loop)
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    with pipeline.backends.engine.begin() as connection:
        connection.execute(text("DELETE FROM orchestrator.workflow_executions WHERE id = :id"), {"id": done.id})
        assert connection.execute(text("SELECT count(*) FROM orchestrator.step_frames")).scalar() == 0


def test_large_data_reaches_the_steps_of_a_loop_by_reference(pipeline: Pipeline) -> None:
    large = "x" * (pipeline.backends.settings.payload_inline_limit + 1)
    loop = {"type": "FOR_EACH", "config": {"items": [1]}, "actions": [transform(n="{{ trigger.text | length }}")]}
    workflow = pipeline.workflow(loop)
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"text": large}).event_id)
    assert done.step_outputs["step_0"]["results"] == [{"n": len(large)}]


def test_what_waits_is_dropped_when_the_execution_is_cancelled(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({"type": "WAIT", "config": {"seconds": 3600}})
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(workflow.id)
        row = pipeline.started(event.event_id)
    assert [attempt.state for attempt in pipeline.attempts(row.id)] == ["WAITING"]


class TestErrorWorkflow:
    def test_hears_of_a_failure(self, pipeline: Pipeline) -> None:
        hears = pipeline.workflow(transform(why="{{ trigger.error.message }}", who="{{ trigger.workflow.name }}"))
        fails = pipeline.workflow(transform(x="{{ trigger.y }}"), settings={"errorWorkflow": str(hears.id)})
        with working(pipeline.backends):
            failed = pipeline.finished(pipeline.accept(fails.id).event_id)
            heard = eventually(lambda: pipeline.last_of(hears.id))
        assert heard.trigger_type == "error"
        assert heard.trigger_payload["execution"]["id"] == str(failed.id)
        assert heard.step_outputs["step_0"]["who"] == "w"

    def test_a_failing_error_workflow_tells_nobody(self, pipeline: Pipeline) -> None:
        fails = pipeline.workflow(transform(x="{{ trigger.y }}"))
        with Session(pipeline.backends.engine) as session:
            settings = {"errorWorkflow": str(fails.id)}
            pipeline.workflows.update(session, OWNER, fails.id, WorkflowChange.read({"settings": settings}))
        with working(pipeline.backends):
            pipeline.finished(pipeline.accept(fails.id).event_id)
            heard = eventually(lambda: pipeline.last_of(fails.id, trigger_type="error"))
            assert pipeline.finished(heard.event_id).status == "FAILED"
        assert pipeline.count_of(fails.id) == 2

    def test_one_that_tries_again_what_failed_does_not_go_round_without_end(self, pipeline: Pipeline) -> None:
        fails = pipeline.workflow(transform(x="{{ trigger.y }}"))
        again = pipeline.workflow({"type": "RUN_WORKFLOW", "config": {"workflowId": str(fails.id)}})
        with Session(pipeline.backends.engine) as session:
            pipeline.workflows.update(
                session, OWNER, fails.id, WorkflowChange.read({"settings": {"errorWorkflow": str(again.id)}})
            )
        with working(pipeline.backends):
            pipeline.finished(pipeline.accept(fails.id).event_id)
            heard = eventually(lambda: pipeline.last_of(again.id))
            assert pipeline.finished(heard.event_id).status == "FAILED"
        assert (pipeline.count_of(fails.id), pipeline.count_of(again.id)) == (2, 1)

    def test_hears_of_an_execution_that_took_too_long(self, pipeline: Pipeline) -> None:
        hears = pipeline.workflow(transform(why="{{ trigger.error.message }}"))
        settings = {"errorWorkflow": str(hears.id), "timeout": 1}
        slow = pipeline.workflow({"type": "WAIT", "config": {"seconds": 3600}}, settings=settings)
        with working(pipeline.backends):
            assert pipeline.finished(pipeline.accept(slow.id).event_id).status == "FAILED"
            heard = eventually(lambda: pipeline.last_of(hears.id))
        assert "longer than its limit" in heard.step_outputs["step_0"]["why"]


def test_cancelling_reaches_the_workflows_that_were_called(pipeline: Pipeline) -> None:
    child = pipeline.workflow({"type": "WAIT", "config": {"seconds": 3600}})
    parent = pipeline.workflow({"type": "RUN_WORKFLOW", "config": {"workflowId": str(child.id)}})
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(parent.id)
        called = eventually(lambda: pipeline.last_of(child.id, finished=False))
        running = pipeline.execution(event.event_id)
        assert running is not None
        pipeline.cancel(running.id)
    assert pipeline.finished(event.event_id).status == "CANCELLED"
    assert pipeline.finished(called.event_id).status == "CANCELLED"


def test_a_failing_caller_takes_with_it_what_it_awaits(pipeline: Pipeline) -> None:
    child = pipeline.workflow({"type": "WAIT", "config": {"seconds": 3600}})
    call = {"type": "RUN_WORKFLOW", "config": {"workflowId": str(child.id)}}
    stop = {"type": "STOP", "config": {"status": "failed", "message": "enough"}}
    wait = {"type": "WAIT", "config": {"for": "resume"}}
    lanes = [{"name": "calls", "actions": [call]}, {"name": "stops", "actions": [wait, stop]}]
    parent = pipeline.workflow({"type": "PARALLEL", "branches": lanes})
    with working(pipeline.backends, Orchestrator):
        event = pipeline.accept(parent.id)
        called = eventually(lambda: pipeline.last_of(child.id, finished=False))
        running = pipeline.execution(event.event_id)
        assert running is not None
        resume_everything(pipeline, running.id)
        assert pipeline.finished(event.event_id).status == "FAILED"
        assert pipeline.finished(called.event_id).status == "CANCELLED"


def test_what_is_called_and_not_awaited_outlives_a_failing_caller(pipeline: Pipeline) -> None:
    child = pipeline.workflow({"type": "WAIT", "config": {"seconds": 3600}})
    call = {"type": "RUN_WORKFLOW", "config": {"workflowId": str(child.id), "wait": False}}
    parent = pipeline.workflow(call, {"type": "STOP", "config": {"status": "failed", "message": "enough"}})
    with working(pipeline.backends, Orchestrator):
        assert pipeline.finished(pipeline.accept(parent.id).event_id).status == "FAILED"
        called = eventually(lambda: pipeline.last_of(child.id, finished=False))
    assert called.status in {"PENDING", "RUNNING"}


def resume_everything(pipeline: Pipeline, execution_id: UUID) -> None:
    """Whoever is called for the open waits comes."""
    [attempt] = [one for one in pipeline.attempts(execution_id) if (one.waiting or {}).get("kind") == "resume"]
    wait = WaitKey(execution_id, attempt.step_index, attempt.iteration)
    with Session(pipeline.backends.engine) as session:
        waits.resume(session, pipeline.backends.bus, wait, {})
