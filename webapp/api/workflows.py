"""/api/v1/workflows: create, list, get, replace, delete, run, versions."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.accounts.scopes import Scope
from flowforge.jsonio import JsonObject
from flowforge.preview.dry_run import dry_run
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.views import VersionView, WorkflowSummary, WorkflowView
from flowforge.workflows.workflows import Started
from webapp.api import schemas, version_schemas
from webapp.api.paging import ListQuery
from webapp.context import backends, session
from webapp.endpoint import DELETED, Answer, Body, Tag, created, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import Flag, Query
from webapp.receiving.run_payload import read_payload
from webapp.receiving.uploads import Uploads
from webapp.services import drafts, workflows

blueprint = Blueprint("workflows", __name__, url_prefix="/api/v1/workflows")


_RUN_PAYLOAD = Body(
    {"type": "object", "additionalProperties": True},
    required=False,
    form={
        "type": "object",
        "properties": {
            "payload": {"type": "string", "description": "The JSON object that the other parts are added to."}
        },
        "additionalProperties": {"type": "string", "format": "binary"},
    },
)


class RunQuery(Query):
    dry_run: Flag = Field(False, description="Resolves everything and calls nobody.")
    draft: Flag = Field(False, description="Runs the draft, published or not, enabled or not.")
    pinned: Flag = Field(False, description="With draft: steps with a pinned output are not run.")


@blueprint.post("")
@endpoint(
    Tag.WORKFLOWS,
    created(schemas.Workflow),
    takes=object_body(schemas.WorkflowRequest, WorkflowChange.read),
    refuses=(403, 409),
)
def create(body: WorkflowChange) -> WorkflowView:
    """Create a workflow"""
    return workflows().create(session(), current_user_id(), body)


@blueprint.get("")
@endpoint(Tag.WORKFLOWS, [schemas.WorkflowSummary], query=ListQuery)
def list_all(query: ListQuery) -> Sequence[WorkflowSummary]:
    """List the caller's workflows, newest first"""
    return workflows().all(session(), current_user_id(), page=query.page, size=query.size)


@blueprint.get("/<uuid:workflow_id>")
@endpoint(Tag.WORKFLOWS, schemas.Workflow)
def show(workflow_id: UUID) -> WorkflowView:
    """Get a workflow, its secrets masked"""
    return workflows().get(session(), current_user_id(), workflow_id)


@blueprint.put("/<uuid:workflow_id>")
@endpoint(
    Tag.WORKFLOWS, schemas.Workflow, takes=object_body(schemas.WorkflowChange, WorkflowChange.read), refuses=(409,)
)
def replace(workflow_id: UUID, body: WorkflowChange) -> WorkflowView:
    """Replace a workflow; what is omitted is kept, and a masked secret too"""
    return workflows().update(session(), current_user_id(), workflow_id, body)


@blueprint.delete("/<uuid:workflow_id>")
@endpoint(Tag.WORKFLOWS, DELETED)
def delete(workflow_id: UUID) -> None:
    """Delete a workflow and its triggers; its executions stay"""
    workflows().delete(session(), current_user_id(), workflow_id)


@blueprint.post("/<uuid:workflow_id>/run")
@endpoint(
    Tag.WORKFLOWS,
    {
        202: Answer(schemas.Started, "Accepted: the execution will follow"),
        200: Answer(version_schemas.DryRun, "A dry run: what each step would be given"),
    },
    takes=_RUN_PAYLOAD,
    query=RunQuery,
    refuses=(409, 429),
    scope=Scope.RUN,
)
def run(workflow_id: UUID, query: RunQuery) -> object:
    """Start a workflow by hand; the body, any JSON object, is its payload, which a form can give files to"""
    user_id = current_user_id()
    uploads = Uploads(lambda: user_id)
    with uploads.unless_refused():
        payload = read_payload(uploads)
        if not query.dry_run:
            return _start(user_id, workflow_id, query, payload, uploads.holder)
        shown = dry_run(session(), drafts(), backends().resume_links, user_id, workflow_id, payload, draft=query.draft)
    uploads.discard()
    return shown, 200


def _start(user_id: UUID, workflow_id: UUID, query: RunQuery, payload: JsonObject | None, event_id: UUID) -> Started:
    who = session(), backends().bus, user_id, workflow_id
    if query.draft:
        return drafts().start(*who, payload, event_id, pinned=query.pinned)
    return workflows().start(*who, payload or {}, event_id)


@blueprint.get("/<uuid:workflow_id>/versions")
@endpoint(Tag.WORKFLOWS, [schemas.WorkflowVersion], query=ListQuery)
def versions(workflow_id: UUID, query: ListQuery) -> Sequence[VersionView]:
    """List what was saved of a workflow, newest first"""
    return workflows().versions(session(), current_user_id(), workflow_id, page=query.page, size=query.size)
