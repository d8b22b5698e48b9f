"""/api/v1/workflows: create, list, get, replace, delete, run, versions."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.preview.dry_run import dry_run
from webapp.api import query_params, version_schemas
from webapp.api.paging import window
from webapp.body import json_object
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in
from webapp.services import drafts, workflows

blueprint = Blueprint("workflows", __name__, url_prefix="/api/v1/workflows")


@blueprint.post("")
@signed_in
def create() -> tuple[Response, int]:
    """Create a workflow"""
    workflow = workflows().create(session(), current_user_id(), json_object())
    return jsonify(workflows().shown(workflow)), 201


@blueprint.get("")
@signed_in
def list_all() -> Response:
    """List the caller's workflows, newest first"""
    found = workflows().all(session(), current_user_id(), **window())
    return jsonify(
        [
            {"id": workflow.id, "name": workflow.name, "enabled": workflow.enabled, "createdAt": workflow.created_at}
            for workflow in found
        ]
    )


@blueprint.get("/<uuid:workflow_id>")
@signed_in
def show(workflow_id: UUID) -> Response:
    """Get a workflow, its secrets masked"""
    return jsonify(workflows().shown(workflows().get(session(), current_user_id(), workflow_id)))


@blueprint.put("/<uuid:workflow_id>")
@signed_in
def replace(workflow_id: UUID) -> Response:
    """Replace a workflow; what is omitted is kept, and a masked secret too"""
    workflow = workflows().update(session(), current_user_id(), workflow_id, json_object())
    return jsonify(workflows().shown(workflow))


@blueprint.delete("/<uuid:workflow_id>")
@signed_in
def delete(workflow_id: UUID) -> tuple[str, int]:
    """Delete a workflow and its triggers; its executions stay"""
    workflows().delete(session(), current_user_id(), workflow_id)
    return "", 204


@blueprint.post("/<uuid:workflow_id>/run")
@signed_in
def run(workflow_id: UUID) -> tuple[Response, int]:
    """Start a workflow by hand; the body, any JSON object, is its payload"""
    payload = json_object() if request.get_data() else None
    who, draft, bus = current_user_id(), query_params.flag("draft"), backends().bus
    if query_params.flag("dryRun"):
        links = backends().resume_links
        ran = dry_run(session(), drafts(), links, who, workflow_id, payload, draft=draft)
        return jsonify(version_schemas.DryRun.model_validate(ran, from_attributes=True).model_dump(by_alias=True)), 200
    if draft:
        started = drafts().start(session(), bus, who, workflow_id, payload, pinned=query_params.flag("pinned"))
    else:
        started = workflows().start(session(), bus, who, workflow_id, payload or {})
    return jsonify({"executionId": started.execution_id, "eventId": started.event_id}), 202


@blueprint.get("/<uuid:workflow_id>/versions")
@signed_in
def versions(workflow_id: UUID) -> Response:
    """List what was saved of a workflow, newest first"""
    saved = workflows().versions(session(), current_user_id(), workflow_id, **window())
    return jsonify([workflows().shown_version(version) for version in saved])
