"""Trying out in the builder: what an expression gives, one step, the whole draft; and publishing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import flash, render_template, request

from flowforge import jsonio
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Conflict, Invalid, NotFound, Unavailable
from flowforge.jsonio import JsonObject
from flowforge.language import edits
from flowforge.language.pointers import parsed
from flowforge.language.scope_rules import written_steps
from flowforge.preview import expression_context, step_tests
from flowforge.preview.excerpts import excerpt
from flowforge.preview.step_tests import Previewed, Trial
from flowforge.sentences import message_of, sentence
from flowforge.triggers.kinds import sample_payload
from flowforge.triggers.kinds.webhook import WEBHOOK
from flowforge.workflows import pins
from flowforge.workflows.changes import Publication
from flowforge.workflows.validation import config_of
from flowforge.workflows.views import WorkflowView
from webapp.context import backends, session
from webapp.services import drafts, triggers
from webapp.translation.texts import gettext, said, said_by
from webapp.ui import undo
from webapp.ui.base import blueprint
from webapp.ui.builder import answer, found, refused
from webapp.ui.builder_refusals import back_to_builder, not_published, not_run
from webapp.ui.builder_runs import to_run
from webapp.ui.conditions import with_conditions_in_words
from webapp.ui.guard import viewer_id

_LONGEST_PREVIEW = 20_000


@blueprint.post("/workflows/<uuid:workflow_id>/build/preview")
def preview_expression(workflow_id: UUID) -> str:
    """Show the value of a field's text, computed from the data available to the step."""
    workflow, at = found(workflow_id), request.form.get("at", "")
    text = request.form.get("text", "")[:_LONGEST_PREVIEW].replace("\r\n", "\n")
    try:
        context = expression_context.context_at(
            session(), workflow.id, drafts().clear(session(), viewer_id(), workflow_id), at
        )
        previewed = step_tests.preview(text, context)
    except Invalid as gone:
        previewed = Previewed(None, str(gone))
    return render_template("builder/_preview.html", previewed=replace(previewed, value=excerpt(previewed.value)))


@blueprint.post("/workflows/<uuid:workflow_id>/build/test")
def try_step(workflow_id: UUID) -> Any:
    """Run the open step with the data available to it; `dry` calls nobody. Its output can be picked from afterwards."""
    workflow, at = found(workflow_id), request.form.get("at", "")
    dry_run = request.form.get("dry") == "true"
    try:
        definition = drafts().clear(session(), viewer_id(), workflow_id)
        own_id = edits.step_at(definition, at).get("id")
        context = expression_context.context_at(session(), workflow.id, definition, at)
        trial = _trial_of(workflow, definition, at, context.data)
        session().rollback()  # the step may take its time
        tried = step_tests.try_step(backends(), load_catalog(), trial, dry_run=dry_run)
    except (Invalid, NotFound, Conflict, Unavailable) as error:
        return render_template("builder/_tried.html", tried=None, error=said_by(error), dry_run=dry_run)
    kept = (
        own_id is not None
        and trial.step.block is None
        and not dry_run
        and _keep_output(workflow_id, trial.step_id, tried.output)
    )
    output = tried.output and with_conditions_in_words(trial.step.type, tried.output)
    shown = replace(tried, config=excerpt(tried.config), output=excerpt(output))
    about = {"error": tried.error, "dry_run": dry_run, "kept": kept, "step_id": trial.step_id}
    return render_template("builder/_tried.html", tried=shown, **about)


@blueprint.post("/workflows/<uuid:workflow_id>/build/trigger/test")
def test_draft_trigger(workflow_id: UUID) -> Any:
    """Check that the source the draft's trigger listens to can be reached."""
    workflow = found(workflow_id)
    trigger = drafts().clear(session(), viewer_id(), workflow_id).get("trigger")
    trigger = trigger if isinstance(trigger, dict) else {}
    try:
        session().rollback()  # a server that is called may take its time
        result = triggers().test_configuration(backends(), viewer_id(), trigger.get("type"), config_of(trigger) or {})
    except Invalid as error:
        return refused(workflow, error, 400)
    return render_template(
        "builder/_trigger_tested.html", workflow=workflow, result=result, shown=excerpt(result.items)
    )


@blueprint.post("/workflows/<uuid:workflow_id>/build/values")
def ask_for_values(workflow_id: UUID) -> str:
    """Offer the values that a service has for a field of the open step."""
    workflow, at, key = found(workflow_id), request.form.get("at", ""), request.form.get("field", "")
    try:
        trial = _trial_of(workflow, drafts().clear(session(), viewer_id(), workflow_id), at, {})
        session().rollback()  # the service may take its time
        values, error = step_tests.ask_for_values(backends(), load_catalog(), trial, key), None
    except (Invalid, NotFound, Conflict, Unavailable) as refusal:
        values, error = (), "; ".join(said(problem.message) for problem in refusal.problems) or said_by(refusal)
    return render_template("builder/_values.html", values=values, error=error)


def _trial_of(workflow: WorkflowView, definition: JsonObject, at: str, data: Mapping[str, Any]) -> Trial:
    """A trial of the step at a pointer. Raises Invalid, NotFound."""
    edits.step_at(definition, at)
    step_id = next(step.id for step in written_steps(definition) if step.path == parsed(at))
    return Trial(workflow.id, viewer_id(), workflow.name, definition, step_id, data)


def _keep_output(workflow_id: UUID, step_id: str, output: Any) -> bool:
    """Keep the output, so that it can be picked from; False where it cannot be kept."""
    if output is None:
        return False
    try:
        pins.keep_tested(session(), workflow_id, step_id, output)
    except (Invalid, Conflict):  # too large to be kept, or the workflow is gone; the output is shown all the same
        return False
    return True


@blueprint.post("/workflows/<uuid:workflow_id>/build/sample")
def keep_sample(workflow_id: UUID) -> Any:
    """Pin a payload for trying the workflow; an empty text unpins it, and the newest payload is used again."""
    workflow = found(workflow_id)
    text = request.form.get("sample", "").strip()
    shown = drafts().get(session(), viewer_id(), workflow_id)
    try:
        if text:
            pins.pin(session(), workflow.id, pins.TRIGGER, _object(text))
        else:
            pins.unpin(session(), workflow.id, pins.TRIGGER)
    except NotFound:
        pass
    except Invalid as error:
        return refused(workflow, error, 400)
    return answer(workflow, shown, request.form.get("step", ""), message=gettext("Sample saved."))


@blueprint.post("/workflows/<uuid:workflow_id>/build/run")
def run_draft(workflow_id: UUID) -> Any:
    """Runs the draft with the sample, whether it is published, and enabled, or not; a webhook without one with the
    example that its form shows. Pinned outputs stand for their steps."""
    workflow = found(workflow_id)
    seen = request.form.get("revision", type=int)
    if seen is not None:
        try:
            drafts().require_revision(session(), viewer_id(), workflow_id, seen)
        except Conflict as error:
            return refused(workflow, error, 409)
    payload = expression_context.sample(session(), workflow.id)
    if payload is None:
        payload = _example(drafts().clear(session(), viewer_id(), workflow_id))
    try:
        started = drafts().start(session(), backends().bus, viewer_id(), workflow.id, payload, pinned=True)
    except Invalid:
        return not_run(workflow)
    return to_run(started.execution_id, started.event_id)


def _example(definition: JsonObject) -> JsonObject:
    trigger = definition.get("trigger")
    is_webhook = isinstance(trigger, dict) and str(trigger.get("type")).lower() == WEBHOOK
    return sample_payload(trigger) if is_webhook else {}


@blueprint.post("/workflows/<uuid:workflow_id>/build/publish")
def publish_draft(workflow_id: UUID) -> Any:
    workflow = found(workflow_id)
    fields = {
        "revision": request.form.get("revision", type=int),
        "note": request.form.get("note", "").strip() or None,
        "overwrite": request.form.get("overwrite") == "true",
    }
    try:
        published = drafts().publish(session(), viewer_id(), workflow_id, Publication.read(fields))
    except Invalid:
        return not_published(workflow)
    except Conflict as error:
        session().rollback()
        flash(gettext("Not published: %(reason)s.", reason=said_by(error)), "error")
        return back_to_builder(workflow)
    undo.forget(workflow_id)
    if not published.enabled:
        flash(gettext("“%(name)s” is published, but disabled.", name=published.name), "done")
    return back_to_builder(workflow, published=1)


@blueprint.post("/workflows/<uuid:workflow_id>/build/discard")
def discard_draft(workflow_id: UUID) -> Any:
    workflow = found(workflow_id)
    drafts().discard(session(), viewer_id(), workflow_id)
    undo.forget(workflow_id)
    flash(gettext("Draft discarded. The published version stays as it is."), "done")
    return back_to_builder(workflow)


def _object(text: str) -> JsonObject:
    """Raises Invalid."""
    try:
        value = jsonio.loads(text)
    except ValueError as error:
        raise Invalid.at("/sample", sentence("is not JSON: %(error)s", error=message_of(error))) from error
    if not isinstance(value, dict):
        raise Invalid.at("/sample", sentence("must be an object: { … }"))
    return value
