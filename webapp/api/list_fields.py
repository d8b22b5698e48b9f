"""/api/v1/workflows/{id}/list-field: the field of the payload that lists of its executions show."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint

from flowforge.workflows import list_fields
from webapp.api.list_schemas import ListField
from webapp.context import session
from webapp.endpoint import Tag, endpoint, model_body
from webapp.identity import current_user_id

blueprint = Blueprint("list_fields", __name__, url_prefix="/api/v1/workflows/<uuid:workflow_id>/list-field")


@blueprint.get("")
@endpoint(Tag.WORKFLOWS, ListField)
def show(workflow_id: UUID) -> ListField:
    """Get the field of the payload that lists of a workflow's executions show"""
    return ListField(list_field=list_fields.get(session(), current_user_id(), workflow_id))


@blueprint.put("")
@endpoint(Tag.WORKFLOWS, ListField, takes=model_body(ListField))
def choose(workflow_id: UUID, body: ListField) -> ListField:
    """Choose the field of the payload that lists of a workflow's executions show"""
    field = list_fields.read(body.list_field)
    list_fields.choose(session(), current_user_id(), workflow_id, field)
    return ListField(list_field=field)
