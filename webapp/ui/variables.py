"""Variables: settings that expressions call by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from flowforge.connections import variables as operations
from flowforge.errors import Conflict, Invalid, Problem
from flowforge.sentences import message_of
from webapp.context import session
from webapp.translation.texts import gettext
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id
from webapp.ui.problems import by_field
from webapp.ui.written_values import from_text


@blueprint.get("/variables")
def variables() -> str:
    return _list_page()


@blueprint.post("/variables")
def put_variable() -> Any:
    """Numbers, true, false and JSON are taken as such; anything else is a text."""
    name, text = request.form.get("name", "").strip(), request.form.get("value", "").replace("\r\n", "\n")
    try:
        operations.put_variable(session(), viewer_id(), name, from_text(text) if text.strip() else None)
    except (Invalid, Conflict) as error:
        session().rollback()
        problems = error.problems or [Problem("/name", message_of(error))]
        return _list_page(problems), 409 if isinstance(error, Conflict) else 400
    flash(gettext("“%(name)s” saved.", name=name), "done")
    return redirect(url_for("ui.variables"), 303)


@blueprint.post("/variables/<name>/delete")
def delete_variable(name: str) -> Any:
    operations.delete_variable(session(), viewer_id(), name)
    flash(gettext("“%(name)s” deleted.", name=name), "done")
    return redirect(url_for("ui.variables"), 303)


def _list_page(problems: Sequence[Problem] = ()) -> str:
    rows = operations.list_variables(session(), viewer_id())
    return render_template("connections/variables.html", rows=rows, problems=by_field(problems), entered=request.form)
