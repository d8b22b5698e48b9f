"""/api/v1/error-workflow: the workflow that an account's failures start."""

from __future__ import annotations

from flask import Blueprint

from flowforge.workflows import error_workflow
from flowforge.workflows.error_workflow import ErrorWorkflow
from webapp.api import workflow_settings_schemas
from webapp.context import session
from webapp.endpoint import Tag, endpoint, object_body
from webapp.identity import current_user_id

blueprint = Blueprint("error_workflow", __name__, url_prefix="/api/v1/error-workflow")


@blueprint.get("")
@endpoint(Tag.WORKFLOWS, workflow_settings_schemas.ErrorWorkflow, refuses=(404,))
def show() -> ErrorWorkflow:
    """Get the workflow that is started for failures of workflows which name none of their own"""
    return error_workflow.find(session(), current_user_id())


@blueprint.put("")
@endpoint(
    Tag.WORKFLOWS,
    workflow_settings_schemas.ErrorWorkflow,
    takes=object_body(workflow_settings_schemas.ErrorWorkflow, ErrorWorkflow.read),
    refuses=(404,),
)
def choose(body: ErrorWorkflow) -> ErrorWorkflow:
    """Choose the workflow that is started for failures of workflows which name none of their own"""
    return error_workflow.choose(session(), current_user_id(), body)
