"""/api/v1/triggers: create, list, replace, delete."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.triggers.changes import NewTrigger, TriggerChange
from flowforge.triggers.renewals import Renewal
from flowforge.triggers.views import TriggerView
from webapp.api import schemas
from webapp.api.paging import ListQuery
from webapp.context import session
from webapp.endpoint import DELETED, Tag, created, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import UuidOrNone
from webapp.services import triggers

blueprint = Blueprint("triggers", __name__, url_prefix="/api/v1/triggers")


class TriggersQuery(ListQuery):
    workflow_id: UuidOrNone = Field(None, description="Only this workflow's.")


@blueprint.post("")
@endpoint(
    Tag.TRIGGERS, created(schemas.Trigger), takes=object_body(schemas.TriggerRequest, NewTrigger.read), refuses=(404,)
)
def create(body: NewTrigger) -> TriggerView:
    """Register a trigger for a workflow"""
    return triggers().create(session(), current_user_id(), body)


@blueprint.get("")
@endpoint(Tag.TRIGGERS, [schemas.Trigger], query=TriggersQuery)
def list_all(query: TriggersQuery) -> Sequence[TriggerView]:
    """List the caller's triggers"""
    return triggers().all(session(), current_user_id(), query.workflow_id, page=query.page, size=query.size)


@blueprint.get("/workflow/<uuid:workflow_id>")
@endpoint(Tag.TRIGGERS, [schemas.Trigger], query=ListQuery)
def list_of_workflow(workflow_id: UUID, query: ListQuery) -> Sequence[TriggerView]:
    """List the triggers of one workflow"""
    return triggers().all(session(), current_user_id(), workflow_id, page=query.page, size=query.size)


@blueprint.put("/<uuid:trigger_id>")
@endpoint(Tag.TRIGGERS, schemas.Trigger, takes=object_body(schemas.TriggerChange, TriggerChange.read))
def replace(trigger_id: UUID, body: TriggerChange) -> TriggerView:
    """Change a trigger; what is omitted is kept"""
    return triggers().update(session(), current_user_id(), trigger_id, body)


@blueprint.post("/<uuid:trigger_id>/token")
@endpoint(Tag.TRIGGERS, schemas.Trigger, takes=object_body(schemas.TriggerRenewal, Renewal.read, may_be_absent=True))
def renew_token(trigger_id: UUID, body: Renewal) -> TriggerView:
    """Give a trigger another address; the former one goes on for a time"""
    return triggers().renew(session(), current_user_id(), trigger_id, body)


@blueprint.delete("/<uuid:trigger_id>")
@endpoint(Tag.TRIGGERS, DELETED)
def delete(trigger_id: UUID) -> None:
    """Delete a trigger"""
    triggers().delete(session(), current_user_id(), trigger_id)
