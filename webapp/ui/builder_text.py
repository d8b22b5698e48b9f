"""The draft as a text: YAML, or JSON; there and back without loss."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for

from flowforge import jsonio
from flowforge.ascode import yaml_reader, yaml_writer
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.language.pointers import pointer
from flowforge.sentences import message_of, sentence
from flowforge.workflows.changes import DraftChange
from webapp.context import session
from webapp.services import drafts
from webapp.translation.texts import gettext
from webapp.ui import undo
from webapp.ui.base import blueprint
from webapp.ui.builder import found
from webapp.ui.definitions import definition_help, read_object
from webapp.ui.guard import viewer_id

FORMS = {"yaml": "YAML", "json": "JSON"}
_PARTS = ("name", "trigger", "actions", "settings")


@blueprint.get("/workflows/<uuid:workflow_id>/build/text")
def builder_text(workflow_id: UUID) -> str:
    """`as`: yaml or json."""
    workflow = found(workflow_id)
    shown = drafts().get(session(), viewer_id(), workflow_id)
    return _page(workflow, shown, _form(), _text(shown.definition, _form()), shown.problems)


@blueprint.post("/workflows/<uuid:workflow_id>/build/text")
def save_builder_text(workflow_id: UUID) -> Any:
    workflow, text = found(workflow_id), request.form.get("text", "")
    try:
        definition = _read(text, _form())
        before = drafts().clear(session(), viewer_id(), workflow_id)
        revision = request.form.get("revision", 0, type=int)
        drafts().save(session(), viewer_id(), workflow_id, DraftChange(definition, revision))
    except (Invalid, Conflict) as error:
        session().rollback()
        shown = drafts().get(session(), viewer_id(), workflow_id)
        problems = error.problems if isinstance(error, Invalid) else [Problem("", message_of(error))]
        return _page(workflow, shown, _form(), text, problems), 409 if isinstance(error, Conflict) else 400
    undo.remember(workflow_id, before)
    flash(gettext("Draft saved."), "done")
    if "build" in request.form:
        return redirect(url_for("ui.builder", workflow_id=workflow_id), 303)
    return redirect(url_for("ui.builder_text", workflow_id=workflow_id) + f"?as={_form()}", 303)


def _page(workflow: Any, shown: Any, form: str, text: str, problems: Any) -> str:
    return render_template(
        "builder/text.html",
        workflow=workflow,
        draft=shown,
        form=form,
        forms=FORMS,
        text=text,
        problems=problems,
        help=definition_help(),
    )


def _form() -> str:
    form = request.values.get("as", "yaml")
    return form if form in FORMS else "yaml"


def _text(definition: JsonObject, form: str) -> str:
    ordered = {part: definition[part] for part in _PARTS if definition.get(part) is not None}
    ordered |= {part: value for part, value in definition.items() if part not in _PARTS}
    plain = jsonio.loads(jsonio.dumps(ordered))
    return yaml_writer.write(plain) if form == "yaml" else jsonio.indented(plain) + "\n"


def _read(text: str, form: str) -> JsonObject:
    """Raises Invalid, with the line of each flaw."""
    if form == "json":
        return read_object(text)
    document = yaml_reader.read(text)
    if document.flaws:
        raise Invalid(
            [
                Problem("", sentence("line %(line)s: %(message)s", line=flaw.line, message=flaw.message))
                for flaw in document.flaws
            ]
        )
    value = document.plain()
    if not isinstance(value, dict):
        raise Invalid([Problem(pointer(()), sentence("must be an object with a name and actions"))])
    return value
