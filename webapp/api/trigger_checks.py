"""/api/v1/triggers/{id}/test: whether what a trigger listens to can be reached."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify

from webapp.context import session
from webapp.identity import current_user_id, signed_in
from webapp.services import triggers

blueprint = Blueprint("trigger_checks", __name__, url_prefix="/api/v1/triggers")


@blueprint.post("/<uuid:trigger_id>/test")
@signed_in
def try_out(trigger_id: UUID) -> Response:
    """Sign in to a mailbox and open its folder, for reading only"""
    result = triggers().test(session(), current_user_id(), trigger_id)
    return jsonify({"source": result.subject, "works": result.problem is None, "problem": result.problem})
