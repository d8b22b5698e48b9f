"""Pinned outputs in the builder: test runs take them in place of running their steps."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import request

from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.execution.state import ROOT
from flowforge.executions import executions
from flowforge.executions.written_steps import all_steps, written_steps
from flowforge.jsonio import JsonObject
from flowforge.language import scope_rules
from flowforge.language.plan import can_be_pinned
from flowforge.language.pointers import pointer
from flowforge.language.scope_rules import Written
from flowforge.workflows import pins
from webapp.context import session
from webapp.services import drafts
from webapp.translation.texts import gettext
from webapp.ui.base import blueprint
from webapp.ui.builder import answer, found, refused
from webapp.ui.definitions import read_object
from webapp.ui.guard import viewer_id


@blueprint.post("/workflows/<uuid:workflow_id>/build/pin")
def pin_output(workflow_id: UUID) -> Any:
    """Pin an output of the step of the id `pinned`: `output`, or the one that it had in a frame of an execution."""
    workflow = found(workflow_id)
    shown = drafts().get(session(), viewer_id(), workflow_id)
    try:
        step = _step_of(shown.definition)
        pins.pin(session(), workflow.id, step.id, _output(step))
    except (Invalid, NotFound, Conflict) as error:
        return refused(workflow, error, 400)
    return answer(
        workflow, shown, pointer(step.path), message=gettext("Pinned. Tests use it in place of running the step.")
    )


@blueprint.post("/workflows/<uuid:workflow_id>/build/unpin")
def unpin_output(workflow_id: UUID) -> Any:
    """Take away the output that is kept of the step `pinned`."""
    workflow, step_id = found(workflow_id), request.form.get("pinned", "")
    shown = drafts().get(session(), viewer_id(), workflow_id)
    with suppress(NotFound):  # unpinned in another tab
        pins.unpin(session(), workflow.id, step_id)
    return answer(workflow, shown, request.form.get("step", ""), message=gettext("Unpinned."))


def _step_of(definition: JsonObject) -> Written:
    """The step that is asked for. Raises Invalid."""
    step_id = request.form.get("pinned", "")
    step = next((one for one in scope_rules.written_steps(definition) if one.own_id == step_id), None)
    if step is None or not can_be_pinned(step.type):
        raise Invalid.at("/pinned", gettext("is no step of this workflow whose output can be pinned"))
    return step


def _output(step: Written) -> JsonObject:
    """Raises Invalid, NotFound."""
    execution_id = request.form.get("execution", type=UUID)
    if execution_id is None:
        return read_object(request.form.get("output", ""))
    row, frame = executions.get(session(), viewer_id(), execution_id), request.form.get("frame", ROOT, type=int)
    then = next((one for one in all_steps(written_steps(session(), row)) if one.id == step.id), None)
    if then is None:
        raise NotFound(gettext("the step has no output in this run"))
    output = executions.output_in(session(), row, frame, then.key)
    if not isinstance(output, dict):
        raise Invalid.at("/output", gettext("is no object"))
    return output
