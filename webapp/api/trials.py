"""/api/v1/workflows/{id}/steps/{stepId}/test, /data, /preview, /sample and /pins: trying a workflow before it is
trusted."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Workflow
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.language.plan import can_be_pinned
from flowforge.language.pointers import pointer
from flowforge.language.scope_rules import written_steps
from flowforge.preview import step_tests
from flowforge.preview.excerpts import excerpt
from flowforge.preview.expression_context import context_at
from flowforge.preview.expression_context import sample as sample_of
from flowforge.preview.step_tests import Trial
from flowforge.workflows import pins
from webapp.api.version_schemas import Previewing
from webapp.body import json_object, read
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
    if not isinstance(asked.get("dryRun"), bool | None):
        raise Invalid.at("/dryRun", "must be true or false")
    steps = written_steps(definition)
    step = next((step for step in steps if step_id in (step.id, step.key)), None)
    if step is None:
        raise NotFound("there is no such step")
    known = context_at(session(), workflow.id, definition, pointer(step.path))
    data = step_tests.data_from(asked, known.data, steps)
    trial = Trial(workflow.id, workflow.user_id, workflow.name, definition, step_id, data)
    session().rollback()  # the step may take its time
    tried = step_tests.try_step(backends(), load_catalog(), trial, dry_run=bool(asked.get("dryRun")))
    return jsonify(
        {
            "config": tried.config,
            "output": tried.output,
            "error": tried.error,
            "field": tried.field,
            "runs": tried.runs,
            "unknown": tried.unknown,
            "durationMs": round(tried.seconds * 1000),
        }
    )


@blueprint.get("/data")
@signed_in
def data(workflow_id: UUID) -> Response:
    """What the expressions of a step of the draft would see, as far as it is known; large values are cut"""
    workflow = _workflow(workflow_id)
    definition = drafts().clear(session(), workflow)
    known = context_at(session(), workflow.id, definition, request.args.get("at", ""))
    return jsonify({"roots": excerpt(known.roots), "trigger": known.trigger_source, "steps": known.sources})


@blueprint.post("/preview")
@signed_in
def preview(workflow_id: UUID) -> Response:
    """What a text with expressions would be at a place of the draft, or why it cannot be computed"""
    workflow, asked = _workflow(workflow_id), read(Previewing)
    definition = drafts().clear(session(), workflow)
    known = context_at(session(), workflow.id, definition, asked.pointer)
    value, error = step_tests.preview(workflow.id, workflow.name, asked.text, known.data)
    return jsonify({"value": excerpt(value)} if error is None else {"error": error})


@blueprint.get("/sample")
@signed_in
def sample(workflow_id: UUID) -> Response:
    """What came in last, or what is pinned in its place; null where nothing has come in yet"""
    return jsonify({"trigger": sample_of(session(), _workflow(workflow_id).id)})


@blueprint.get("/pins")
@signed_in
def list_pins(workflow_id: UUID) -> Response:
    """Outputs that stand for steps while a workflow is tried; `trigger` stands for what comes in"""
    return jsonify(pins.pinned_outputs(session(), _workflow(workflow_id).id))


@blueprint.put("/pins/<step_id>")
@signed_in
def pin(workflow_id: UUID, step_id: str) -> tuple[str, int]:
    """Pin an output; the body is the output"""
    workflow = _workflow(workflow_id)
    output = json_object()
    if step_id != pins.TRIGGER:
        steps = written_steps(drafts().clear(session(), workflow))
        step = next((step for step in steps if step.action.get("id") == step_id), None)
        if step is None:
            raise NotFound("there is no step with this id; steps without an id cannot be pinned")
        if not can_be_pinned(step.type):
            raise Conflict(f"{step.type} only steers: no output can stand for it")
    pins.pin(session(), workflow.id, step_id, output)
    return "", 204


@blueprint.delete("/pins/<step_id>")
@signed_in
def unpin(workflow_id: UUID, step_id: str) -> tuple[str, int]:
    """Take a pinned output away"""
    pins.unpin(session(), _workflow(workflow_id).id, step_id)
    return "", 204


def _workflow(workflow_id: UUID) -> Workflow:
    return workflows().get(session(), current_user_id(), workflow_id)
