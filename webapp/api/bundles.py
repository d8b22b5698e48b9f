"""Workflows as code: many at once, in and out, and the schema that editors check their files by."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from flowforge import jsonio
from flowforge.ascode.schema import workflow_schema
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid
from flowforge.workflows.bundles import MOST_WORKFLOWS, Bundles
from webapp.api.paging import whole_number
from webapp.body import json_object
from webapp.context import session
from webapp.identity import current_user_id, signed_in
from webapp.services import workflows

SCHEMA = "application/schema+json"
_HIGHEST_PAGE = 1_000_000

blueprint = Blueprint("bundles", __name__, url_prefix="/api")


@blueprint.post("/v1/workflows/apply")
@signed_in
def apply() -> Response:
    """Create and change many workflows, all together or not at all"""
    return jsonify(Bundles(workflows()).apply(session(), current_user_id(), json_object()))


@blueprint.get("/v1/workflows/export")
@signed_in
def export() -> Response:
    """Workflows as they are applied, secrets masked, by name"""
    wanted = request.args.getlist("name")
    if len(wanted) > MOST_WORKFLOWS:
        raise Invalid.at("/name", f"may be given {MOST_WORKFLOWS} times")
    page = whole_number("page", 0, 0, _HIGHEST_PAGE)
    size = whole_number("size", MOST_WORKFLOWS, 1, MOST_WORKFLOWS)
    found = Bundles(workflows()).export(session(), current_user_id(), wanted, page=page, size=size)
    return jsonify({"workflows": found})


@blueprint.get("/schema/workflow.json")
def schema() -> Response:
    """The JSON Schema of a workflow, as files hold it"""
    return Response(jsonio.dumps(workflow_schema(load_catalog())), mimetype=SCHEMA)
