"""One thing done to many workflows or executions at once: to all of them, in one transaction, or to none."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint

from flowforge.executions import deleting
from flowforge.workflows import folders, tags
from flowforge.workflows.selections import require_all
from webapp.api import list_schemas
from webapp.api.list_schemas import ChangedWorkflows, DeletedExecutions
from webapp.context import backends, session
from webapp.endpoint import Tag, endpoint, model_body
from webapp.identity import current_user_id

blueprint = Blueprint("selections", __name__, url_prefix="/api/v1")


@blueprint.post("/workflows/move")
@endpoint(Tag.WORKFLOWS, ChangedWorkflows, takes=model_body(list_schemas.Move))
def move_workflows(body: list_schemas.Move) -> ChangedWorkflows:
    """Move workflows into a folder"""
    folder = folders.read(body.folder)
    require_all(session(), current_user_id(), body.workflow_ids)
    return _changed(folders.move(session(), current_user_id(), body.workflow_ids, folder))


@blueprint.post("/workflows/tag")
@endpoint(Tag.WORKFLOWS, ChangedWorkflows, takes=model_body(list_schemas.Tagging))
def tag_workflows(body: list_schemas.Tagging) -> ChangedWorkflows:
    """Give workflows a tag, beside those that they have"""
    tag = tags.read_one(body.tag)
    require_all(session(), current_user_id(), body.workflow_ids)
    return _changed(tags.add(session(), current_user_id(), body.workflow_ids, tag))


@blueprint.post("/workflows/untag")
@endpoint(Tag.WORKFLOWS, ChangedWorkflows, takes=model_body(list_schemas.Tagging))
def untag_workflows(body: list_schemas.Tagging) -> ChangedWorkflows:
    """Take a tag from workflows"""
    tag = tags.read_one(body.tag)
    require_all(session(), current_user_id(), body.workflow_ids)
    return _changed(tags.remove(session(), current_user_id(), body.workflow_ids, tag))


@blueprint.post("/executions/delete")
@endpoint(Tag.EXECUTIONS, DeletedExecutions, takes=model_body(list_schemas.SelectedExecutions))
def delete_executions(body: list_schemas.SelectedExecutions) -> DeletedExecutions:
    """Delete executions with their data and log; those that are still running are kept"""
    return DeletedExecutions(
        deleted=deleting.delete_ended(session(), backends(), current_user_id(), body.execution_ids)
    )


def _changed(workflow_ids: Iterable[UUID]) -> ChangedWorkflows:
    return ChangedWorkflows(workflow_ids=[*workflow_ids])
