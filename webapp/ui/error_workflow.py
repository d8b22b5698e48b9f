"""The setting of an account that names the workflow for all failures."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from flowforge.errors import Invalid
from flowforge.workflows import error_workflow, listing
from flowforge.workflows.error_workflow import ErrorWorkflow
from webapp.context import session
from webapp.translation.texts import gettext
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field


@blueprint.get("/settings/error-workflow")
def error_workflow_settings() -> str:
    return _page()


@blueprint.post("/settings/error-workflow")
def save_error_workflow() -> Any:
    try:
        wanted = ErrorWorkflow.read({"workflowId": request.form.get("workflow", "")})
        error_workflow.choose(session(), viewer_id(), wanted)
    except Invalid as error:
        session().rollback()
        return _page(error.problems), 400
    flash(gettext("Saved."), "done")
    return redirect(url_for("ui.error_workflow_settings"), 303)


def _page(problems: Any = ()) -> str:
    return render_template(
        "settings/error_workflow.html",
        chosen=error_workflow.find(session(), viewer_id()).workflow_id,
        workflows=listing.choices(session(), viewer_id()),
        problems=by_field(problems),
    )
