"""/api/v1/templates: workflows to begin with."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from flowforge.onboarding import starters
from webapp.body import json_object
from webapp.context import session
from webapp.identity import current_user_id, signed_in
from webapp.services import workflows

blueprint = Blueprint("starters", __name__, url_prefix="/api/v1/templates")


@blueprint.get("")
@signed_in
def list_all() -> Response:
    """List the templates, and what each wants to know"""
    return jsonify([starters.starter_fields(one) for one in starters.starters()])


@blueprint.post("/<name>")
@signed_in
def use(name: str) -> tuple[Response, int]:
    """Make a workflow from a template; the body holds its fields"""
    given = json_object() if request.get_data() else {}
    chosen = starters.starter(name)
    made = workflows().create(session(), current_user_id(), starters.filled(chosen, given))
    return jsonify(workflows().shown(made)), 201
