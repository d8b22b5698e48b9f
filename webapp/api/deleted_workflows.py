"""/api/v1/deleted-workflows: workflows that can be restored for some days."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint

from flowforge.workflows import deleted_workflows
from flowforge.workflows.deleted_workflows import DeletedWorkflowView
from flowforge.workflows.views import WorkflowView
from webapp.api import list_schemas, schemas
from webapp.context import backends, session
from webapp.endpoint import DELETED, Tag, endpoint
from webapp.identity import current_user_id
from webapp.services import workflows

blueprint = Blueprint("deleted_workflows", __name__, url_prefix="/api/v1/deleted-workflows")


@blueprint.get("")
@endpoint(Tag.WORKFLOWS, [list_schemas.DeletedWorkflow])
def list_all() -> Sequence[DeletedWorkflowView]:
    """List the caller's deleted workflows that can be restored, the latest first"""
    return deleted_workflows.list_deleted(session(), current_user_id())


@blueprint.post("/<uuid:deleted_workflow_id>/restore")
@endpoint(Tag.WORKFLOWS, schemas.Workflow, refuses=(403, 409))
def restore(deleted_workflow_id: UUID) -> WorkflowView:
    """Restore a deleted workflow as it was, with its triggers, draft, tags and pinned data"""
    deleted_workflows.restore(session(), backends().settings, current_user_id(), deleted_workflow_id)
    return workflows().get(session(), current_user_id(), deleted_workflow_id)


@blueprint.delete("/<uuid:deleted_workflow_id>")
@endpoint(Tag.WORKFLOWS, DELETED)
def purge(deleted_workflow_id: UUID) -> None:
    """Delete a deleted workflow permanently"""
    deleted_workflows.purge(session(), current_user_id(), deleted_workflow_id)
