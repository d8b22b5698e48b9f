"""/api/v1/workflows/{id}/versions, /diff, /draft and /publish: what was saved, and what is being written."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.workflows.versions import PUBLISHED
from webapp.body import json_object
from webapp.context import session
from webapp.identity import current_user_id, signed_in
from webapp.services import drafts, versions, workflows

blueprint = Blueprint("versions", __name__, url_prefix="/api/v1/workflows/<uuid:workflow_id>")


@blueprint.get("/versions/<uuid:version_id>")
@signed_in
def show(workflow_id: UUID, version_id: UUID) -> Response:
    """Get a version, its secrets masked"""
    version = versions().get(session(), current_user_id(), workflow_id, version_id)
    return jsonify(workflows().shown_version(version))


@blueprint.post("/versions/<uuid:version_id>/restore")
@signed_in
def restore(workflow_id: UUID, version_id: UUID) -> Response:
    """Publish an old version again, as a new one"""
    workflow = versions().restore(session(), current_user_id(), workflow_id, version_id, _optional_object())
    return jsonify(workflows().shown(workflow))


@blueprint.get("/diff")
@signed_in
def compare(workflow_id: UUID) -> Response:
    """What differs between two versions, step by step"""
    old, new = request.args.get("from", PUBLISHED), request.args.get("to", PUBLISHED)
    return jsonify(versions().compare(session(), current_user_id(), workflow_id, old, new).as_json())


@blueprint.get("/draft")
@signed_in
def show_draft(workflow_id: UUID) -> Response:
    """Get the draft, or at revision 0 what is published; secrets masked"""
    return jsonify(drafts().shown(session(), current_user_id(), workflow_id))


@blueprint.put("/draft")
@signed_in
def save_draft(workflow_id: UUID) -> Response:
    """Save the draft in whatever state it is; nothing runs it"""
    return jsonify(drafts().save(session(), current_user_id(), workflow_id, json_object()))


@blueprint.delete("/draft")
@signed_in
def discard_draft(workflow_id: UUID) -> tuple[str, int]:
    """Discard the draft; what is published stays"""
    drafts().discard(session(), current_user_id(), workflow_id)
    return "", 204


@blueprint.post("/publish")
@signed_in
def publish(workflow_id: UUID) -> Response:
    """Publish the draft: it becomes the workflow's next version"""
    return jsonify(workflows().shown(drafts().publish(session(), current_user_id(), workflow_id, _optional_object())))


def _optional_object() -> dict[str, object]:
    return json_object() if request.get_data() else {}
