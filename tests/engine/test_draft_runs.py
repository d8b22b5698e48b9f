"""Drafts tried out through the real workers: steps with a pinned output are not run, and nothing is published."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, WorkflowVersion
from flowforge.errors import Invalid
from flowforge.workflows import pins
from flowforge.workflows.changes import DraftChange
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.views import WorkflowView
from tests.engine.pipeline import OWNER, Pipeline, working

Action = dict[str, Any]
UNREACHABLE = {"id": "fetch", "type": "HTTP_REQUEST", "config": {"url": "http://127.0.0.1:1/"}}
USES_IT = {"id": "use", "type": "TRANSFORM", "config": {"output": {"got": "{{ steps.fetch.n + 1 }}"}}}


@pytest.fixture
def drafts(pipeline: Pipeline) -> Drafts:
    return Drafts(pipeline.workflows)


def start(pipeline: Pipeline, drafts: Drafts, workflow: WorkflowView, **how: Any) -> UUID:
    with Session(pipeline.backends.engine) as session:
        return drafts.start(session, pipeline.backends.bus, OWNER, workflow.id, **how).event_id


def save(pipeline: Pipeline, drafts: Drafts, workflow: WorkflowView, *actions: Action, revision: int = 0) -> None:
    with Session(pipeline.backends.engine) as session:
        definition = {"name": "w", "actions": list(actions)}
        drafts.save(session, OWNER, workflow.id, DraftChange(definition, revision))


def pin(pipeline: Pipeline, workflow: WorkflowView, **outputs: Any) -> None:
    with Session(pipeline.backends.engine) as session:
        for name, output in outputs.items():
            pins.pin(session, workflow.id, name, output)


def version_of(pipeline: Pipeline, execution: ExecutionRow) -> WorkflowVersion:
    with Session(pipeline.backends.engine, expire_on_commit=False) as session:
        return session.get_one(WorkflowVersion, execution.version_id)


def test_pinned_steps_of_a_draft_are_not_run(pipeline: Pipeline, drafts: Drafts) -> None:
    workflow = pipeline.workflow()
    save(pipeline, drafts, workflow, UNREACHABLE, USES_IT)
    pin(pipeline, workflow, fetch={"n": 1}, trigger={"who": "Ada"}, nobody={"n": 9})
    with working(pipeline.backends):
        tried = pipeline.finished(start(pipeline, drafts, workflow, pinned=True))
    assert (tried.status, tried.trigger_payload) == ("COMPLETED", {"who": "Ada"})
    assert tried.step_outputs == {"step_0": {"n": 1}, "step_1": {"got": 2}}
    assert [attempt.step_index for attempt in pipeline.attempts(tried.id)] == [1]
    version = version_of(pipeline, tried)
    assert (version.number, version.pins) == (None, {"fetch": {"n": 1}})


def test_real_executions_never_see_what_is_pinned(pipeline: Pipeline, drafts: Drafts) -> None:
    computed = {"id": "fetch", "type": "TRANSFORM", "config": {"output": {"n": 5}}}
    workflow = pipeline.workflow(computed, USES_IT)
    pin(pipeline, workflow, fetch={"n": 1})
    with working(pipeline.backends):
        real = pipeline.finished(pipeline.accept(workflow.id).event_id)
        tried = pipeline.finished(start(pipeline, drafts, workflow, pinned=True))
        unpinned = pipeline.finished(start(pipeline, drafts, workflow))
    assert real.step_outputs["step_1"] == {"got": 6}
    assert tried.step_outputs["step_1"] == {"got": 2}
    assert unpinned.step_outputs["step_1"] == {"got": 6}
    assert (real.version_id, unpinned.version_id) == (workflow.version_id, workflow.version_id)


def test_a_draft_is_kept_once_for_each_state_it_is_run_in(pipeline: Pipeline, drafts: Drafts) -> None:
    workflow = pipeline.workflow()
    save(pipeline, drafts, workflow, USES_IT | {"config": {"output": {"n": 1}}})
    with working(pipeline.backends):
        first, again = (pipeline.finished(start(pipeline, drafts, workflow)) for _ in range(2))
        pin(pipeline, workflow, use={"n": 2})
        pinned = pipeline.finished(start(pipeline, drafts, workflow, pinned=True))
        save(pipeline, drafts, workflow, USES_IT | {"config": {"output": {"n": 3}}}, revision=1)
        changed = pipeline.finished(start(pipeline, drafts, workflow))
    assert [one.step_outputs["step_0"]["n"] for one in (first, again, pinned, changed)] == [1, 1, 2, 3]
    assert first.version_id == again.version_id
    assert len({first.version_id, pinned.version_id, changed.version_id, workflow.version_id}) == 4


def test_a_disabled_workflow_can_be_tried(pipeline: Pipeline, drafts: Drafts) -> None:
    workflow = pipeline.workflow(USES_IT | {"config": {"output": {"n": 1}}}, enabled=False)
    with working(pipeline.backends):
        assert pipeline.finished(start(pipeline, drafts, workflow)).status == "COMPLETED"


def test_what_is_wrong_with_a_draft_keeps_it_from_running(pipeline: Pipeline, drafts: Drafts) -> None:
    workflow = pipeline.workflow()
    save(pipeline, drafts, workflow, {"id": "fetch", "type": "HTTP_REQUEST"})
    with pytest.raises(Invalid, match="/actions/0/config/url"):
        start(pipeline, drafts, workflow)
