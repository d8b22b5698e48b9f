"""/api/v1/workflows/{id}/steps/{stepId}/test, /sample and /pins: trying a workflow before it is trusted."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Workflow
from flowforge.errors import Invalid, NotFound
from flowforge.language.pointers import pointer
from flowforge.language.tree import actions_in
from flowforge.operations import known_data, trials
from flowforge.operations.trials import Trial
from webapp.body import json_object
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in
from webapp.services import drafts, workflows

blueprint = Blueprint("trials", __name__, url_prefix="/api/v1/workflows/<uuid:workflow_id>")


@blueprint.post("/steps/<step_id>/test")
@signed_in
def test_step(workflow_id: UUID, step_id: str) -> Response:
    """Run one step of the draft alone; what is not given comes from pins and the latest execution"""
    workflow = _workflow(workflow_id)
    definition = drafts().clear(session(), workflow)
    asked = json_object() if request.get_data() else {}
    if not isinstance(asked.get("dryRun", False), bool):
        raise Invalid.at("/dryRun", "must be true or false")
    at = next(
        (pointer(path) for path, action in actions_in(definition.get("actions")) if action.get("id") == step_id), ""
    )
    data = trials.data_from(asked, known_data.known_data(session(), workflow.id, definition, at))
    trial = Trial(workflow.id, workflow.user_id, workflow.name, definition, step_id, data)
    session().rollback()  # the step may take its time
    tried = trials.try_step(backends(), load_catalog(), trial, dry_run=bool(asked.get("dryRun")))
    return jsonify(
        {
            "config": tried.config,
            "output": tried.output,
            "error": tried.error,
            "durationMs": round(tried.seconds * 1000),
        }
    )


@blueprint.get("/sample")
@signed_in
def sample(workflow_id: UUID) -> Response:
    """What came in last, or what is pinned in its place; null where nothing has come in yet"""
    return jsonify({"trigger": known_data.sample(session(), _workflow(workflow_id).id)})


@blueprint.get("/pins")
@signed_in
def list_pins(workflow_id: UUID) -> Response:
    """Outputs that stand for steps while a workflow is tried; `trigger` stands for what comes in"""
    return jsonify(known_data.pins(session(), _workflow(workflow_id).id))


@blueprint.put("/pins/<step_id>")
@signed_in
def pin(workflow_id: UUID, step_id: str) -> tuple[str, int]:
    """Pin an output; the body is the output"""
    workflow = _workflow(workflow_id)
    output = json_object()
    if len(request.get_data()) > known_data.MOST_PINNED_BYTES:
        raise Invalid.at("", f"may have at most {known_data.MOST_PINNED_BYTES:,} bytes")
    actions = drafts().clear(session(), workflow).get("actions")
    if step_id != known_data.TRIGGER and all(action.get("id") != step_id for _, action in actions_in(actions)):
        raise NotFound("there is no such step")
    known_data.pin(session(), workflow.id, step_id, output)
    return "", 204


@blueprint.delete("/pins/<step_id>")
@signed_in
def unpin(workflow_id: UUID, step_id: str) -> tuple[str, int]:
    """Take a pinned output away"""
    known_data.unpin(session(), _workflow(workflow_id).id, step_id)
    return "", 204


def _workflow(workflow_id: UUID) -> Workflow:
    return workflows().get(session(), current_user_id(), workflow_id)
