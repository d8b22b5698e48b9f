"""A file goes along with the data that name it: to workflows that are called, back to their callers, into replays."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.engine.intake import NewEvent
from flowforge.errors import NotFound
from flowforge.executions import replays
from flowforge.executions.replay_requests import ReplayRequest
from flowforge.file_values import StoredFile
from flowforge.ids import uuid7
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working

GIVEN = {"file": "{{ trigger.file }}"}


def kept(pipeline: Pipeline, holder: UUID) -> StoredFile:
    return pipeline.backends.files.keep(BytesIO(b"%PDF"), "a.pdf", "application/pdf", owner=OWNER, holder=holder)


def accepted_with_a_file(pipeline: Pipeline, workflow_id: UUID) -> tuple[UUID, StoredFile]:
    """The event that an upload has made, and the file."""
    event_id = uuid7()
    file = kept(pipeline, event_id)
    payload = {"file": file.as_json()}
    pipeline.hand_in(NewEvent(uuid7(), workflow_id, OWNER, "webhook", payload, {}, event_id=event_id))
    return event_id, file


def may_use(pipeline: Pipeline, execution_id: UUID, file: StoredFile) -> bool:
    try:
        return pipeline.backends.files.of_execution(file.id, execution_id).file == file
    except NotFound:
        return False


def calls(workflow_id: UUID, **given: Any) -> dict[str, Any]:
    return {"id": "call", "type": "RUN_WORKFLOW", "config": {"workflowId": str(workflow_id), "payload": given}}


def test_a_workflow_that_is_called_may_use_what_it_is_given(pipeline: Pipeline) -> None:
    called = pipeline.workflow(transform(ok=True))
    caller = pipeline.workflow(calls(called.id, **GIVEN))
    with working(pipeline.backends):
        event_id, file = accepted_with_a_file(pipeline, caller.id)
        pipeline.finished(event_id)
    run = pipeline.last_of(called.id)
    assert run is not None
    assert may_use(pipeline, run.id, file)


def test_a_file_that_a_stranger_names_is_not_his(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(ok=True))
    file = kept(pipeline, uuid7())
    event = NewEvent(uuid7(), workflow.id, OWNER, "webhook", {"file": file.as_json()}, {"source": "webhook"})
    with working(pipeline.backends):
        pipeline.hand_in(event)
        run = pipeline.finished(event.event_id)
    assert not may_use(pipeline, run.id, file)


def test_who_starts_a_workflow_may_give_it_files_of_the_account(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(ok=True))
    file = kept(pipeline, uuid7())
    with working(pipeline.backends):
        run = pipeline.finished(pipeline.accept(workflow.id, {"deep": [{"file": file.as_json()}]}).event_id)
    assert may_use(pipeline, run.id, file)


@pytest.mark.parametrize("start", ["start", "step_0"])
def test_a_replay_has_the_files_of_what_it_does_again(pipeline: Pipeline, start: str) -> None:
    workflow = pipeline.workflow(transform(ok=True))
    with working(pipeline.backends):
        event_id, file = accepted_with_a_file(pipeline, workflow.id)
        first = pipeline.finished(event_id)
        with Session(pipeline.backends.engine) as session:
            again = replays.replay(session, pipeline.backends, OWNER, first.id, ReplayRequest.read({"from": start}))
        run = pipeline.finished(again.event_id)
    assert may_use(pipeline, run.id, file)
