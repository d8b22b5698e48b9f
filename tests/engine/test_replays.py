"""Executions done again through the real workers: where they begin, what they know, and that nothing before runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, WorkflowVersion
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.executions import replays
from flowforge.executions.replay_requests import ReplayRequest, ReplaysRequest
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.views import WorkflowView
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.statements import counting_statements

Action = dict[str, Any]


def transform(id_: str, **output: object) -> Action:
    return {"type": "TRANSFORM", "id": id_, "config": {"output": output}}


def divided(id_: str = "divided") -> Action:
    """Fails where the payload has `by` 0."""
    return transform(id_, n="{{ 10 / trigger.by }}")


def replay(pipeline: Pipeline, execution_id: UUID, **asked: Any) -> UUID:
    with Session(pipeline.backends.engine) as session:
        return replays.replay(session, pipeline.backends, OWNER, execution_id, ReplayRequest.read(asked)).event_id


def replay_all(session: Session, pipeline: Pipeline, wanted: dict[str, Any]) -> replays.ReplayedAll:
    return replays.replay_all(session, pipeline.backends, OWNER, ReplaysRequest.read(wanted))


def replayed(pipeline: Pipeline, execution_id: UUID, **asked: Any) -> ExecutionRow:
    return pipeline.finished(replay(pipeline, execution_id, **asked))


def steps_run(pipeline: Pipeline, execution: ExecutionRow) -> list[int]:
    return [attempt.step_index for attempt in pipeline.attempts(execution.id)]


def test_an_execution_is_done_again_from_its_start(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform("one", n="{{ trigger.n }}"), transform("two", n="{{ steps.one.n + 1 }}"))
    with working(pipeline.backends):
        first = pipeline.finished(pipeline.accept(workflow.id, {"n": 1}).event_id)
        again = replayed(pipeline, first.id)
        edited = replayed(pipeline, first.id, payload={"n": 7})
    assert (again.status, again.step_outputs, again.replay_of) == ("COMPLETED", first.step_outputs, first.id)
    assert (again.trigger_type, again.trigger_payload) == ("replay", {"n": 1})
    assert edited.step_outputs == {"step_0": {"n": 7}, "step_1": {"n": 8}}
    assert steps_run(pipeline, again) == [0, 1]


def test_an_execution_goes_on_from_the_step_that_failed_with_what_was_recorded_before(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(
        transform("one", n="{{ trigger.by }}"), divided(), transform("sum", n="{{ steps.one.n + steps.divided.n }}")
    )
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id, {"by": 0}).event_id)
        assert failed.status == "FAILED"
        again = replayed(pipeline, failed.id, **{"from": "failed"}, payload={"by": 5})
    assert again.status == "COMPLETED"
    assert again.step_outputs == {"step_0": {"n": 0}, "step_1": {"n": 2.0}, "step_2": {"n": 2.0}}
    assert steps_run(pipeline, again) == [1, 2]


@pytest.mark.parametrize("start", ["two", "step_1", "1", 1])
def test_a_step_to_begin_with_is_named_by_its_id_or_number(pipeline: Pipeline, start: str | int) -> None:
    workflow = pipeline.workflow(transform("one", n=1), transform("two", n="{{ steps.one.n + 1 }}"))
    with working(pipeline.backends):
        first = pipeline.finished(pipeline.accept(workflow.id).event_id)
        again = replayed(pipeline, first.id, **{"from": start})
    assert (again.step_outputs, steps_run(pipeline, again)) == (first.step_outputs, [1])


def test_a_step_inside_a_loop_is_done_again_with_its_whole_loop(pipeline: Pipeline) -> None:
    loop = {
        "type": "FOR_EACH",
        "id": "each",
        "config": {"items": "{{ trigger.items }}", "collect": "{{ steps.inside.n }}"},
        "actions": [transform("inside", n="{{ 10 / item * steps.before.n }}")],
    }
    workflow = pipeline.workflow(transform("before", n=1), loop, transform("after", all="{{ steps.each.results }}"))
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id, {"items": [1, 0]}).event_id)
        again = replayed(pipeline, failed.id, **{"from": "failed"}, payload={"items": [1, 2]})
    assert failed.status == "FAILED"
    assert again.status == "COMPLETED", again.error
    assert again.step_outputs["step_3"] == {"all": [10.0, 5.0]}
    assert [attempt.step_index for attempt in pipeline.attempts(again.id) if attempt.iteration == 0] == [3]


def test_a_step_inside_a_branch_is_begun_where_it_stands(pipeline: Pipeline) -> None:
    branch = {"type": "BRANCH", "branches": [{"when": True, "actions": [transform("a", n=1), divided()]}]}
    workflow = pipeline.workflow(branch, transform("after", n="{{ steps.divided.n + steps.a.n }}"))
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id, {"by": 0}).event_id)
        again = replayed(pipeline, failed.id, **{"from": "failed"}, payload={"by": 10})
    assert (again.status, steps_run(pipeline, again)) == ("COMPLETED", [2, 3])
    assert again.step_outputs["step_3"] == {"n": 2.0}


def test_the_same_version_runs_again_unless_the_latest_is_asked_for(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform("one", n=1), divided())
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id, {"by": 0}).event_id)
        change(pipeline, workflow, [transform("new", n=0), transform("one", n=5), transform("divided", n="repaired")])
        same = replayed(pipeline, failed.id, **{"from": "failed"})
        latest = replayed(pipeline, failed.id, **{"from": "failed"}, version="latest")
    assert (same.status, same.version_id) == ("FAILED", failed.version_id)
    assert latest.status == "COMPLETED"
    # What `one` gave then is known under its new number; `new` has never run.
    assert latest.step_outputs == {"step_1": {"n": 1}, "step_2": {"n": "repaired"}}


def test_an_output_is_not_carried_over_to_a_step_of_another_type(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform("one", n=1), divided())
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id, {"by": 0}).event_id)
        wait = {"type": "WAIT", "id": "one", "config": {"seconds": 0.01}}
        change(pipeline, workflow, [wait, transform("divided", n="{{ steps.one | default('unknown') }}")])
        latest = replayed(pipeline, failed.id, **{"from": "failed"}, version="latest")
    assert latest.step_outputs == {"step_1": {"n": "unknown"}}


def test_a_disabled_workflow_can_be_replayed(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform("one", n=1))
    with working(pipeline.backends):
        first = pipeline.finished(pipeline.accept(workflow.id).event_id)
        with Session(pipeline.backends.engine) as session:
            pipeline.workflows.update(session, OWNER, workflow.id, WorkflowChange.read({"enabled": False}))
        assert replayed(pipeline, first.id).status == "COMPLETED"


def test_a_replay_that_is_held_back_by_a_limit_still_begins_at_its_step(pipeline: Pipeline) -> None:
    held = {"type": "WAIT", "id": "held", "when": "{{ trigger.hold }}", "config": {"for": "resume"}}
    limit = {"limit": 1, "onLimit": "queue"}
    workflow = pipeline.workflow(transform("one", n=1), held, divided(), settings={"concurrency": limit})
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id, {"by": 0, "hold": False}).event_id)
        holding = pipeline.accept(workflow.id, {"by": 1, "hold": True}).event_id
        holder = pipeline.started(holding)
        queued = replay(pipeline, failed.id, **{"from": "failed"}, payload={"by": 2})
        assert pipeline.started(queued).status == "PENDING"
        pipeline.cancel(holder.id)
        again = pipeline.finished(queued)
    assert (again.status, steps_run(pipeline, again)) == ("COMPLETED", [2])
    assert again.step_outputs == {"step_0": {"n": 1}, "step_2": {"n": 5.0}}


def test_what_is_not_over_or_not_there_is_not_replayed(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow({"type": "WAIT", "config": {"for": "resume"}}, transform("one", n=1))
    with working(pipeline.backends):
        event_id = pipeline.accept(workflow.id).event_id
        waiting = pipeline.started(event_id)
    with pytest.raises(Conflict, match="not over"):
        replay(pipeline, waiting.id)
    with pytest.raises(NotFound):
        replay(pipeline, UUID(int=1))
    pipeline.cancel(waiting.id)
    with pytest.raises(Invalid, match="no step of this execution has failed"):
        replay(pipeline, waiting.id, **{"from": "failed"})
    with pytest.raises(Invalid, match="there is no step 'nine'"):
        replay(pipeline, waiting.id, **{"from": "nine"})


def test_many_are_replayed_by_a_filter_in_a_bounded_number_of_statements(pipeline: Pipeline) -> None:
    workflow, other = pipeline.workflow(divided()), pipeline.workflow(divided())
    with working(pipeline.backends):
        failed = [pipeline.finished(pipeline.accept(workflow.id, {"by": 0}).event_id).id for _ in range(6)]
        pipeline.finished(pipeline.accept(workflow.id, {"by": 1}).event_id)
        pipeline.finished(pipeline.accept(other.id, {"by": 0}).event_id)
    change(pipeline, workflow, [transform("divided", n="repaired")])
    with Session(pipeline.backends.engine) as session, counting_statements(pipeline.backends.engine) as statements:
        done = replay_all(session, pipeline, {"workflowId": str(workflow.id)}).replayed
    assert len(statements) == 5  # the account, the sources, their plans, the events, a line of the audit log
    with working(pipeline.backends):
        for one in done:
            assert pipeline.finished(one.event_id).status == "COMPLETED"
    assert sorted(one.replay_of for one in done) == sorted(failed)


def test_a_filter_takes_the_newest_and_no_more_than_asked_for(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(divided())
    with working(pipeline.backends):
        failed = [pipeline.finished(pipeline.accept(workflow.id, {"by": 0}).event_id).id for _ in range(3)]
    with Session(pipeline.backends.engine) as session:
        middle = session.get_one(ExecutionRow, failed[1]).created_at
        session.rollback()
        newest = replay_all(session, pipeline, {"limit": 1}).replayed
        before = replay_all(session, pipeline, {"until": middle.isoformat()}).replayed
        none = replay_all(session, pipeline, {"status": "COMPLETED"}).replayed
        with pytest.raises(Invalid, match="limit"):
            replay_all(session, pipeline, {"limit": 1001})
    assert [one.replay_of for one in newest] == [failed[2]]
    assert [one.replay_of for one in before] == [failed[0]]
    assert none == []


def test_the_definition_of_an_adopted_workflow_can_be_replayed_too(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform("one", text="{{ trigger }}"))
    with Session(pipeline.backends.engine) as session:
        session.execute(update(WorkflowVersion).values(templated=False))
        session.commit()
        assert session.scalar(select(WorkflowVersion.templated)) is False
    with working(pipeline.backends):
        first = pipeline.finished(pipeline.accept(workflow.id).event_id)
        again = replayed(pipeline, first.id)
    assert again.step_outputs == first.step_outputs == {"step_0": {"text": "{{ trigger }}"}}


def change(pipeline: Pipeline, workflow: WorkflowView, actions: list[Action]) -> None:
    with Session(pipeline.backends.engine) as session:
        pipeline.workflows.update(session, OWNER, workflow.id, WorkflowChange.read({"actions": actions}))
