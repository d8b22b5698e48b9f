"""More of the data that a step can refer to: entries of long lists and objects, drawn when somebody opens them."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request

from flowforge.errors import Invalid
from flowforge.preview import expression_context, step_tests
from webapp.context import session
from webapp.services import drafts
from webapp.ui.base import blueprint
from webapp.ui.builder import found
from webapp.ui.data_tree import Datum, rest_of
from webapp.ui.guard import viewer_id

_LONGEST_PATH = 2_000


@blueprint.get("/workflows/<uuid:workflow_id>/build/data/more")
def more_data(workflow_id: UUID) -> str:
    """Draw the entries of a value from a number on. `at`: the step that refers to it, `path`: the reference."""
    path, start = request.args.get("path", "")[:_LONGEST_PATH], request.args.get("start", 0, int)
    return render_template("builder/_more_data.html", datum=_rest(workflow_id, path, max(start, 0)), start=start)


def _rest(workflow_id: UUID, path: str, start: int) -> Datum:
    """Empty for what is there no more: the step or its data have changed meanwhile."""
    workflow, at = found(workflow_id), request.args.get("at", "")
    definition = drafts().clear(session(), viewer_id(), workflow_id)
    try:
        context = expression_context.context_at(session(), workflow.id, definition, at)
    except Invalid:
        return rest_of(None, path, start)
    value = step_tests.preview(f"{{{{ {path} }}}}", context).value
    return rest_of(value, path, start)
