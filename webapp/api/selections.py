"""One thing done to many workflows or executions at once: to all of them, in one transaction, or to none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    return _change(body, lambda user_id, ids: folders.move(session(), user_id, ids, folder))


@blueprint.post("/workflows/tag")
@endpoint(Tag.WORKFLOWS, ChangedWorkflows, takes=model_body(list_schemas.Tagging))
def tag_workflows(body: list_schemas.Tagging) -> ChangedWorkflows:
    """Give workflows a tag, beside those that they have"""
    tag = tags.read_one(body.tag)
    return _change(body, lambda user_id, ids: tags.add(session(), user_id, ids, tag))


@blueprint.post("/workflows/untag")
@endpoint(Tag.WORKFLOWS, ChangedWorkflows, takes=model_body(list_schemas.Tagging))
def untag_workflows(body: list_schemas.Tagging) -> ChangedWorkflows:
    """Take a tag from workflows"""
    tag = tags.read_one(body.tag)
    return _change(body, lambda user_id, ids: tags.remove(session(), user_id, ids, tag))


@blueprint.post("/executions/delete")
@endpoint(Tag.EXECUTIONS, DeletedExecutions, takes=model_body(list_schemas.SelectedExecutions))
def delete_executions(body: list_schemas.SelectedExecutions) -> DeletedExecutions:
    """Delete executions with their data and log; those that are still running are kept"""
    return DeletedExecutions(
        deleted=deleting.delete_ended(session(), backends(), current_user_id(), body.execution_ids)
    )


def _change(
    selected: list_schemas.SelectedWorkflows, change: Callable[[UUID, Sequence[UUID]], Iterable[UUID]]
) -> ChangedWorkflows:
    """`change` gets the account and its workflows, and returns those that were changed. Raises NotFound where one of
    them is not the account's."""
    user_id = current_user_id()
    require_all(session(), user_id, selected.workflow_ids)
    return ChangedWorkflows(workflow_ids=[*change(user_id, selected.workflow_ids)])
