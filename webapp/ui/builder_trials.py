"""Trying out in the builder: what an expression gives, one step, the whole draft; and publishing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge import jsonio
from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Workflow
from flowforge.errors import Conflict, Invalid, NotFound, Unavailable
from flowforge.language import edits
from flowforge.operations import known_data, trials
from flowforge.operations.trials import Trial
from webapp.context import backends, session
from webapp.services import drafts
from webapp.ui import undo
from webapp.ui.base import blueprint
from webapp.ui.builder import answer, found, refused
from webapp.ui.guard import viewer_id

_LONGEST_PREVIEW = 20_000


@blueprint.post("/workflows/<uuid:workflow_id>/build/preview")
def preview_expression(workflow_id: UUID) -> str:
    """What the text of a field would be, with what is known."""
    workflow, at = found(workflow_id), request.form.get("at", "")
    text = request.form.get("text", "")[:_LONGEST_PREVIEW]
    try:
        data = known_data.known_data(session(), workflow.id, drafts().clear(session(), workflow), at)
        value, error = trials.preview(workflow.id, workflow.name, text, data)
    except Invalid as gone:
        value, error = None, str(gone)
    return render_template("builder/_preview.html", value=value, error=error)


@blueprint.post("/workflows/<uuid:workflow_id>/build/test")
def try_step(workflow_id: UUID) -> Any:
    """Runs the open step, with what is known; `dry` calls nobody. What it gives can be picked from afterwards."""
    workflow, at = found(workflow_id), request.form.get("at", "")
    dry_run = request.form.get("dry") == "true"
    try:
        definition = drafts().clear(session(), workflow)
        step_id = str(edits.step_at(definition, at).get("id") or "")
        data = known_data.known_data(session(), workflow.id, definition, at)
        trial = Trial(workflow.id, viewer_id(), workflow.name, definition, step_id, data)
        session().rollback()  # the step may take its time
        tried = trials.try_step(backends(), load_catalog(), trial, dry_run=dry_run)
        if tried.output is not None and not dry_run and trial.step.block is None:
            known_data.pin(session(), workflow.id, step_id, tried.output)
    except (Invalid, NotFound, Conflict, Unavailable) as error:
        return render_template("builder/_tried.html", tried=None, error=str(error), dry_run=dry_run)
    return render_template("builder/_tried.html", tried=tried, error=tried.error, dry_run=dry_run)


@blueprint.post("/workflows/<uuid:workflow_id>/build/sample")
def keep_sample(workflow_id: UUID) -> Any:
    """What stands for what comes in, while the workflow is tried; empty: what came in last."""
    workflow = found(workflow_id)
    text = request.form.get("sample", "").strip()
    shown = drafts().shown(session(), viewer_id(), workflow_id)
    try:
        if text:
            known_data.pin(session(), workflow.id, known_data.TRIGGER, _object(text))
        else:
            known_data.unpin(session(), workflow.id, known_data.TRIGGER)
    except NotFound:
        pass
    except Invalid as error:
        return refused(workflow, error, 400)
    return answer(workflow, shown, request.form.get("step", ""), said="The sample is kept.")


@blueprint.post("/workflows/<uuid:workflow_id>/build/run")
def run_draft(workflow_id: UUID) -> Any:
    """Runs the draft with the sample, whether it is published, and enabled, or not."""
    workflow = found(workflow_id)
    payload = known_data.sample(session(), workflow.id) or {}
    try:
        started = drafts().start(session(), backends().bus, viewer_id(), workflow.id, payload)
    except Invalid as error:
        session().rollback()
        flash(f"It cannot run yet: {error}", "error")
        return _back(workflow)
    return redirect(url_for("ui.execution", execution_id=started.execution_id, event=started.event_id), 303)


@blueprint.post("/workflows/<uuid:workflow_id>/build/publish")
def publish_draft(workflow_id: UUID) -> Any:
    workflow = found(workflow_id)
    asked: dict[str, Any] = {
        "revision": request.form.get("revision", type=int),
        "note": request.form.get("note", "").strip() or None,
        "overwrite": request.form.get("overwrite") == "true",
    }
    try:
        published = drafts().publish(session(), viewer_id(), workflow_id, asked)
    except (Invalid, Conflict) as error:
        session().rollback()
        flash(f"It was not published: {error}", "error")
        return _back(workflow)
    undo.forget(workflow_id)
    flash(f"“{published.name}” is published{'' if published.enabled else ', but disabled'}.", "done")
    return _back(workflow)


@blueprint.post("/workflows/<uuid:workflow_id>/build/discard")
def discard_draft(workflow_id: UUID) -> Any:
    workflow = found(workflow_id)
    drafts().discard(session(), viewer_id(), workflow_id)
    undo.forget(workflow_id)
    flash("The draft is gone; what is published stays.", "done")
    return _back(workflow)


def _back(workflow: Workflow) -> Any:
    return redirect(url_for("ui.builder", workflow_id=workflow.id, step=request.form.get("step") or None), 303)


def _object(text: str) -> dict[str, Any]:
    """Raises Invalid."""
    try:
        value = jsonio.loads(text)
    except ValueError as error:
        raise Invalid.at("/sample", f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Invalid.at("/sample", "must be an object: { … }")
    return value
