"""/api/v1/triggers: create, list, replace, delete."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify

from flowforge.triggers.registrations import trigger_fields
from webapp.api.paging import window
from webapp.body import json_object
from webapp.context import session
from webapp.identity import current_user_id, signed_in
from webapp.services import triggers

blueprint = Blueprint("triggers", __name__, url_prefix="/api/v1/triggers")


@blueprint.post("")
@signed_in
def create() -> tuple[Response, int]:
    """Register a trigger for a workflow"""
    row = triggers().create(session(), current_user_id(), json_object())
    return jsonify(trigger_fields(triggers(), row)), 201


@blueprint.get("")
@signed_in
def list_all() -> Response:
    """List the caller's triggers"""
    rows = triggers().all(session(), current_user_id(), **window())
    return jsonify([trigger_fields(triggers(), row) for row in rows])


@blueprint.get("/workflow/<uuid:workflow_id>")
@signed_in
def list_of_workflow(workflow_id: UUID) -> Response:
    """List the triggers of one workflow"""
    rows = triggers().all(session(), current_user_id(), workflow_id, **window())
    return jsonify([trigger_fields(triggers(), row) for row in rows])


@blueprint.put("/<uuid:trigger_id>")
@signed_in
def replace(trigger_id: UUID) -> Response:
    """Change a trigger; what is omitted is kept"""
    row = triggers().update(session(), current_user_id(), trigger_id, json_object())
    return jsonify(trigger_fields(triggers(), row))


@blueprint.delete("/<uuid:trigger_id>")
@signed_in
def delete(trigger_id: UUID) -> tuple[str, int]:
    """Delete a trigger"""
    triggers().delete(session(), current_user_id(), trigger_id)
    return "", 204
