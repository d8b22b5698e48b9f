"""Templates: for an account that has no workflow yet, and for anyone who wants another one."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from flowforge.errors import Invalid
from flowforge.onboarding import starters as operations
from flowforge.workflows.changes import WorkflowChange
from webapp.context import session
from webapp.services import workflows
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id


@blueprint.get("/templates")
def templates() -> str:
    return render_template("workflows/templates.html", starters=operations.starters())


@blueprint.get("/templates/<name>")
def template(name: str) -> str:
    return _form(operations.starter(name))


@blueprint.post("/templates/<name>")
def use_template(name: str) -> Any:
    chosen = operations.starter(name)
    try:
        made = workflows().create(session(), viewer_id(), WorkflowChange(operations.filled(chosen, request.form)))
    except Invalid as error:
        session().rollback()
        return _form(chosen, error.problems), 400
    flash(f"“{made.name}” is ready.", "done")
    return redirect(url_for("ui.workflow", workflow_id=made.id), 303)


def _form(chosen: operations.Starter, problems: Any = ()) -> str:
    of_fields = {f"/{field.name}" for field in chosen.fields}
    return render_template(
        "workflows/template.html",
        starter=chosen,
        entered=request.form,
        problems={problem.pointer.rpartition("/")[2]: problem.message for problem in problems},
        others=[problem for problem in problems if problem.pointer not in of_fields],
    )
