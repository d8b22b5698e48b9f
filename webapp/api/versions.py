"""/api/v1/workflows/{id}: its versions and its draft, publishing and copying: what was saved, what is being written."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.language.differences import Differences
from flowforge.workflows.changes import DraftChange, Publication, Restoration
from flowforge.workflows.versions import PUBLISHED
from flowforge.workflows.views import DraftView, VersionView, WorkflowView
from webapp.api import schemas, version_schemas
from webapp.context import session
from webapp.endpoint import DELETED, Tag, created, endpoint, model_body, object_body
from webapp.identity import current_user_id
from webapp.query_params import Query
from webapp.services import drafts, versions

blueprint = Blueprint("versions", __name__, url_prefix="/api/v1/workflows/<uuid:workflow_id>")


class CompareQuery(Query):
    from_: str = Field(
        PUBLISHED, alias="from", description="The id or number of a version, published (the default) or draft."
    )
    to: str = Field(PUBLISHED, description="The same.")


@blueprint.get("/versions/<uuid:version_id>")
@endpoint(Tag.WORKFLOWS, schemas.WorkflowVersion)
def show(workflow_id: UUID, version_id: UUID) -> VersionView:
    """Get a version, its secrets masked"""
    return versions().get(session(), current_user_id(), workflow_id, version_id)


@blueprint.post("/versions/<uuid:version_id>/restore")
@endpoint(
    Tag.WORKFLOWS,
    schemas.Workflow,
    takes=object_body(version_schemas.Restoring, Restoration.read, may_be_absent=True),
    refuses=(400, 409),
)
def restore(workflow_id: UUID, version_id: UUID, body: Restoration) -> WorkflowView:
    """Publish an old version again, as a new one"""
    return versions().restore(session(), current_user_id(), workflow_id, version_id, body)


@blueprint.get("/diff")
@endpoint(Tag.WORKFLOWS, version_schemas.Differences, query=CompareQuery, refuses=(400, 409))
def compare(workflow_id: UUID, query: CompareQuery) -> Differences:
    """Compare two versions, step by step"""
    return versions().compare(session(), current_user_id(), workflow_id, query.from_, query.to)


@blueprint.get("/draft")
@endpoint(Tag.WORKFLOWS, version_schemas.Draft, refuses=(409,))
def show_draft(workflow_id: UUID) -> DraftView:
    """Get the draft, or at revision 0 what is published; secrets masked"""
    return drafts().get(session(), current_user_id(), workflow_id)


@blueprint.put("/draft")
@endpoint(
    Tag.WORKFLOWS,
    version_schemas.Draft,
    takes=object_body(version_schemas.DraftChange, DraftChange.read),
    refuses=(409,),
)
def save_draft(workflow_id: UUID, body: DraftChange) -> DraftView:
    """Save the draft in whatever state it is; nothing runs it"""
    return drafts().save(session(), current_user_id(), workflow_id, body)


@blueprint.post("/duplicate")
@endpoint(Tag.WORKFLOWS, created(schemas.Workflow), takes=model_body(version_schemas.Duplicating), refuses=(403, 409))
def duplicate(workflow_id: UUID, body: version_schemas.Duplicating) -> WorkflowView:
    """Copy a workflow as it is to go on with, secrets included, as a draft in the same folder"""
    return drafts().duplicate(session(), current_user_id(), workflow_id, body.name)


@blueprint.delete("/draft")
@endpoint(Tag.WORKFLOWS, DELETED)
def discard_draft(workflow_id: UUID) -> None:
    """Discard the draft; what is published stays"""
    drafts().discard(session(), current_user_id(), workflow_id)


@blueprint.post("/publish")
@endpoint(
    Tag.WORKFLOWS,
    schemas.Workflow,
    takes=object_body(version_schemas.Publishing, Publication.read, may_be_absent=True),
    refuses=(409,),
)
def publish(workflow_id: UUID, body: Publication) -> WorkflowView:
    """Publish the draft: it becomes the workflow's next version"""
    return drafts().publish(session(), current_user_id(), workflow_id, body)
