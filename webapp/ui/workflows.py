"""A workflow: write it as JSON, run it, enable and disable it, delete it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from flowforge import jsonio
from flowforge.connections.views import ConnectionView
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.executions.recent_runs import recent_runs
from flowforge.jsonio import JsonObject
from flowforge.preview import expression_context
from flowforge.sentences import message_of
from flowforge.triggers.renewals import Renewal
from flowforge.workflows import tags
from flowforge.workflows.changes import WorkflowChange
from webapp.context import backends, session
from webapp.receiving.form_data import FormData
from webapp.receiving.run_payload import PAYLOAD, payload_of
from webapp.receiving.uploads import Uploads
from webapp.services import connections, drafts, triggers
from webapp.services import workflows as operations
from webapp.translation.texts import gettext, lazy, ngettext, said
from webapp.ui import undoable_changes
from webapp.ui.base import blueprint
from webapp.ui.builder_flow import flow_of, note_of
from webapp.ui.definitions import STARTER, definition_help, read_object, written
from webapp.ui.guard import return_path, viewer_id
from webapp.ui.notices import tell
from webapp.ui.trigger_kinds import OVERLAPS, trigger_card

_RECENT = 5
_LONGEST_EXAMPLE = 4_000


@blueprint.get("/workflows/new")
def new_workflow() -> str:
    return _editor(STARTER)


@blueprint.post("/workflows/new")
def create_workflow() -> Any:
    text = request.form.get("definition", "")
    try:
        workflow = operations().create(session(), viewer_id(), WorkflowChange.read(read_object(text)))
    except Invalid as error:
        return _editor(text, error.problems), 400
    flash(gettext("“%(name)s” created.", name=workflow.name), "done")
    return _to_workflow(workflow.id)


@blueprint.post("/workflows/build")
def build_workflow() -> Any:
    """Begin a draft, and open it in the builder."""
    name = gettext("New workflow")
    empty = {"name": name, "trigger": {"type": "webhook"}, "actions": []}
    made = drafts().begin(session(), viewer_id(), name, empty)
    return redirect(url_for("ui.builder", workflow_id=made.id), 303)


@blueprint.get("/workflows/<uuid:workflow_id>")
def workflow(workflow_id: UUID) -> str:
    return _workflow_page(workflow_id)


@blueprint.get("/workflows/<uuid:workflow_id>/edit")
def edit_workflow(workflow_id: UUID) -> str:
    found = operations().get(session(), viewer_id(), workflow_id)
    return _editor(written(found), workflow=found)


@blueprint.post("/workflows/<uuid:workflow_id>/edit")
def update_workflow(workflow_id: UUID) -> Any:
    """Save exactly what the editor holds: a part that was deleted there is gone."""
    found = operations().get(session(), viewer_id(), workflow_id)
    text = request.form.get("definition", "")
    try:
        raw = {"name": None, "trigger": None, "actions": [], **read_object(text)}
        operations().update(session(), viewer_id(), workflow_id, WorkflowChange.read(raw))
    except Invalid as error:
        session().rollback()
        return _editor(text, error.problems, found), 400
    flash(gettext("Saved."), "done")
    return _to_workflow(workflow_id)


@blueprint.post("/workflows/<uuid:workflow_id>/enabled")
def switch_workflow(workflow_id: UUID) -> Any:
    change = WorkflowChange(enabled=request.form.get("enabled") == "true")
    changed = operations().update(session(), viewer_id(), workflow_id, change)
    text = lazy("“%(name)s” enabled.") if changed.enabled else lazy("“%(name)s” disabled.")
    flash(gettext(text, name=changed.name), "done")
    back = request.form.get("back", "")
    return redirect(return_path(back), 303) if back else _to_workflow(workflow_id)


@blueprint.post("/workflows/<uuid:workflow_id>/tags")
def tag_workflow(workflow_id: UUID) -> Any:
    try:
        tags.replace(session(), viewer_id(), workflow_id, tags.read(request.form.get("tags", "").split(",")))
        flash(gettext("Saved."), "done")
    except Invalid as error:
        flash(gettext("Tags not saved: %(problem)s.", problem=said(error.problems[0].message)), "error")
    return _to_workflow(workflow_id)


@blueprint.post("/workflows/<uuid:workflow_id>/run")
def run_workflow(workflow_id: UUID) -> Any:
    viewer, text = viewer_id(), request.form.get(PAYLOAD, "")
    uploads = Uploads(lambda: viewer)
    try:
        with uploads.unless_refused():
            payload = payload_of(_run_form(text), uploads)
            started = operations().start(session(), backends().bus, viewer, workflow_id, payload, uploads.holder)
    except Invalid as error:
        return _workflow_page(workflow_id, text, error.problems), 400
    except Conflict as error:
        return _workflow_page(workflow_id, text, [Problem("", message_of(error))]), 409
    return redirect(url_for("ui.execution", execution_id=started.execution_id, event=started.event_id), 303)


@blueprint.post("/workflows/<uuid:workflow_id>/delete")
def delete_workflow(workflow_id: UUID) -> Any:
    name = operations().get(session(), viewer_id(), workflow_id).name
    operations().delete(session(), viewer_id(), workflow_id)
    undo = undoable_changes.keep({"name": "restore", "ids": [str(workflow_id)]})
    tell(gettext("“%(name)s” was deleted.", name=name), undo=undo)
    return redirect(url_for("ui.workflows"), 303)


@blueprint.post("/triggers/<uuid:trigger_id>/test")
def test_trigger(trigger_id: UUID) -> Any:
    workflow_id = triggers().get(session(), viewer_id(), trigger_id).workflow_id
    result = triggers().test(session(), backends(), viewer_id(), trigger_id)
    if result.problem is None:
        flash(gettext("%(subject)s could be opened.", subject=result.subject), "done")
    else:
        flash(
            gettext("%(subject)s could not be opened: %(problem)s", subject=result.subject, problem=result.problem),
            "error",
        )
    return _to_workflow(workflow_id)


@blueprint.post("/triggers/<uuid:trigger_id>/token")
def renew_address(trigger_id: UUID) -> Any:
    renewal = Renewal.read({"overlapMinutes": request.form.get("overlap", type=int)})
    renewed = triggers().renew(session(), viewer_id(), trigger_id, renewal)
    minutes = renewal.overlap // timedelta(minutes=1)
    flash(_describe_renewal(minutes), "done")
    return _to_workflow(renewed.workflow_id)


def _describe_renewal(minutes: int) -> str:
    if not minutes:
        return gettext("URL renewed. The old URL is no longer valid.")
    return ngettext(
        "URL renewed. The old URL remains valid for %(count)s minute.",
        "URL renewed. The old URL remains valid for %(count)s minutes.",
        minutes,
    )


def _to_workflow(workflow_id: UUID) -> Any:
    return redirect(url_for("ui.workflow", workflow_id=workflow_id), 303)


def _workflow_page(workflow_id: UUID, payload: str | None = None, problems: Any = ()) -> str:
    found = operations().get(session(), viewer_id(), workflow_id)
    registered = triggers().all(session(), viewer_id(), workflow_id)
    definition = drafts().get(session(), viewer_id(), workflow_id).definition if found.is_draft else found.definition
    sample = expression_context.sample(session(), workflow_id)
    return render_template(
        "workflows/show.html",
        workflow=found,
        definition=definition,
        flow=flow_of(definition, (), load_catalog()),
        note=note_of(definition.get("settings")),
        overlaps=OVERLAPS,
        triggers=[trigger_card(row, sample, _find_connection) for row in registered],
        recent=recent_runs(session(), viewer_id(), workflow_id, _RECENT),
        sample=sample,
        payload=_example(sample) if payload is None else payload,
        file_field=request.form.get("file_field") or ("body.file" if "body" in (sample or {}) else "file"),
        problems=problems,
        tags=tags.of_workflows(session(), viewer_id(), [workflow_id]).get(workflow_id, ()),
    )


def _find_connection(name: str) -> ConnectionView | None:
    return connections().find(session(), viewer_id(), name)


def _run_form(text: str) -> FormData:
    """The form as `payload_of` reads it: a browser sends an empty file where none was chosen."""
    field = request.form.get("file_field", "").strip() or "file"
    chosen = [(field, file) for file in request.files.getlist("files") if file.filename]
    return FormData(MultiDict({PAYLOAD: text}), MultiDict(chosen))


def _example(sample: JsonObject | None) -> str:
    """Return the payload offered for a manual run: the latest one, if it is short."""
    text = jsonio.indented(sample or {})
    return text if len(text) <= _LONGEST_EXAMPLE else "{}"


def _editor(text: str, problems: Any = (), workflow: Any = None) -> str:
    return render_template(
        "workflows/edit.html",
        text=text,
        problems=problems,
        workflow=workflow,
        help=definition_help(),
    )
