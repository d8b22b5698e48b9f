"""/api/v1/guide: the guided first workflow, and how far one got."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from flowforge.errors import NotFound
from flowforge.onboarding import guide as operations
from webapp.context import session
from webapp.identity import current_user_id, signed_in
from webapp.services import drafts, workflows

blueprint = Blueprint("guide", __name__, url_prefix="/api/v1/guide")


@blueprint.get("")
@signed_in
def get() -> Response:
    """Tell how far the guided first workflow has come"""
    found = operations.guide_of(session(), drafts(), current_user_id())
    if found is None:
        raise NotFound("you are not being guided")
    return jsonify(operations.guide_fields(found))


@blueprint.post("")
@signed_in
def begin() -> Response:
    """Begin the guide, with an empty workflow, or go on with it"""
    operations.begin(session(), workflows(), current_user_id())
    return get()


@blueprint.delete("")
@signed_in
def end() -> tuple[str, int]:
    """End the guide; the workflow stays"""
    operations.end(session(), current_user_id())
    return "", 204
