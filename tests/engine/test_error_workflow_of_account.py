"""The error workflow of an account hears of the failures of workflows that name none of their own."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.db.tables import User
from flowforge.errors import Invalid
from flowforge.ids import uuid7
from flowforge.workflows import error_workflow
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.error_workflow import ErrorWorkflow
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.waiting import eventually


@pytest.fixture
def hears(pipeline: Pipeline) -> UUID:
    """A workflow that fails itwhatever it hears."""
    workflow = pipeline.workflow(transform(why="{{ trigger.error.message }}", gone="{{ trigger.y }}"))
    choose(pipeline, workflow.id)
    return workflow.id


def test_it_hears_of_workflows_that_name_none_of_their_own(pipeline: Pipeline, hears: UUID) -> None:
    fails = pipeline.workflow(transform(x="{{ trigger.y }}"))
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(fails.id).event_id)
        heard = eventually(lambda: pipeline.last_of(hears))
    assert (heard.trigger_type, heard.trigger_payload["execution"]["id"]) == ("error", str(failed.id))


def test_it_never_hears_of_itself(pipeline: Pipeline, hears: UUID) -> None:
    fails = pipeline.workflow(transform(x="{{ trigger.y }}"))
    with working(pipeline.backends):
        assert pipeline.finished(pipeline.accept(hears).event_id).status == "FAILED"
        pipeline.finished(pipeline.accept(fails.id).event_id)
        heard = eventually(lambda: pipeline.last_of(hears, trigger_type="error"))
        assert pipeline.finished(heard.event_id).status == "FAILED"
    assert pipeline.count_of(hears) == 2


def test_it_leaves_those_that_name_one_to_it(pipeline: Pipeline, hears: UUID) -> None:
    own = pipeline.workflow(transform(why="{{ trigger.error.message }}"))
    fails = pipeline.workflow(transform(x="{{ trigger.y }}"), settings={"errorWorkflow": str(own.id)})
    with working(pipeline.backends):
        pipeline.finished(pipeline.accept(fails.id).event_id)
        eventually(lambda: pipeline.last_of(own.id))
    assert pipeline.count_of(hears) == 0


def test_it_is_not_started_while_it_is_disabled(pipeline: Pipeline, hears: UUID) -> None:
    with Session(pipeline.backends.engine) as session:
        pipeline.workflows.update(session, OWNER, hears, WorkflowChange(enabled=False))
    fails = pipeline.workflow(transform(x="{{ trigger.y }}"))
    with working(pipeline.backends):
        pipeline.finished(pipeline.accept(fails.id).event_id)
    assert pipeline.count_of(hears) == 0


def test_it_is_a_workflow_of_the_account(pipeline: Pipeline) -> None:
    with pytest.raises(Invalid, match="is the id of no workflow"):
        choose(pipeline, uuid7())
    choose(pipeline, None)


def choose(pipeline: Pipeline, workflow_id: UUID | None) -> None:
    with Session(pipeline.backends.engine) as session:
        if session.get(User, OWNER) is None:
            session.add(User(id=OWNER, username="owner", email="owner@example.test", password="-"))
            session.commit()
        error_workflow.choose(session, OWNER, ErrorWorkflow(workflow_id))
