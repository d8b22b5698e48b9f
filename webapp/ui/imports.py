"""Import of n8n's workflows: a file is read, its report shown, and drafts made of what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from flowforge.errors import Conflict, Forbidden, Invalid, Problem
from flowforge.n8n.importing import Imported, ImportedWorkflow, import_file
from flowforge.n8n.report import Outcome
from flowforge.sentences import Count, sentence
from flowforge.workflows import pins
from flowforge.workflows.views import WorkflowView
from webapp.context import session
from webapp.services import drafts
from webapp.translation.texts import gettext, ngettext, said_by
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field

MOST_BYTES = 2_000_000
"""Of a file that is imported in the browser; the command takes larger ones."""


@blueprint.get("/workflows/import")
def import_workflows() -> str:
    return _page()


@blueprint.post("/workflows/import")
def show_import() -> Any:
    """The report; with `create` drafts of all that is in the file."""
    try:
        content = _content()
        imported = import_file(content)
    except Invalid as error:
        return _page([Problem("/file", problem.message) for problem in error.problems]), 400
    if not request.form.get("create"):
        return _page(imported=imported, content=content.decode("utf-8-sig"))
    try:
        made = [_begin(workflow) for each in imported for workflow in each.workflows]
    except (Forbidden, Conflict, Invalid) as error:
        session().rollback()
        return _page([Problem("/file", gettext("was only imported in part: %(problem)s", problem=said_by(error)))]), 409
    done = ngettext("%(count)s draft created.", "%(count)s drafts created.", len(made))
    next_ = gettext("Check them, choose their connections, then publish them.")
    flash(f"{done} {next_}", "done")
    if len(made) == 1:
        return redirect(url_for("ui.builder", workflow_id=made[0].id), 303)
    return redirect(url_for("ui.workflows"), 303)


def _content() -> bytes:
    """The file, or its text where the report was looked at before. Raises Invalid."""
    uploaded = request.files.get("file")
    if uploaded is not None and uploaded.filename:
        with uploaded.stream:
            data: bytes = uploaded.read(MOST_BYTES + 1)
    else:
        data = request.form.get("content", "").encode()
    if not data:
        raise Invalid.at("", sentence("is required"))
    if len(data) > MOST_BYTES:
        raise Invalid.at(
            "", sentence("has more than %(most)s bytes: import it by the command line", most=Count(MOST_BYTES))
        )
    return data


def _begin(workflow: ImportedWorkflow) -> WorkflowView:
    definition = workflow.definition
    made = drafts().begin(session(), viewer_id(), str(definition["name"]), definition)
    if isinstance(workflow.sample, dict):
        pins.pin(session(), made.id, pins.TRIGGER, workflow.sample)
    return made


def _page(problems: Sequence[Problem] = (), imported: Sequence[Imported] = (), content: str = "") -> str:
    return render_template(
        "workflows/import.html",
        problems=by_field(problems),
        imported=imported,
        content=content,
        drafts=sum(len(each.workflows) for each in imported),
        outcomes=[Outcome.LEFT, Outcome.APPROXIMATED, Outcome.MAPPED],
    )
