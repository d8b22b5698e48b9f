"""The items of a loop, a page at a time; and the input and the output of a step."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import NotFound
from flowforge.execution.state import FrameStatus
from flowforge.executions import executions, frames
from flowforge.executions.resolved_input import resolved_input
from flowforge.executions.written_steps import all_steps, find_step, written_steps
from flowforge.sentences import sentence
from webapp.context import backends, session
from webapp.translation.texts import lazy
from webapp.ui.base import blueprint
from webapp.ui.executions import workflow_name
from webapp.ui.frames import requested_frame, step_title, way_to
from webapp.ui.guard import viewer_id

PAGE = 50
STATES = {
    "FAILED": lazy("Failed"),
    "RUNNING": lazy("Running"),
    "COMPLETED": lazy("Completed"),
    "WAITING": lazy("Not started"),
}


@blueprint.get("/executions/<uuid:execution_id>/items")
def execution_items(execution_id: UUID) -> str:
    row = executions.get(session(), viewer_id(), execution_id)
    frame, step, state = requested_frame(), _requested_number("step", 0), _requested_state()
    after = _requested_number("after", -1)
    page = frames.page(session(), row.id, frame, step, after=after, size=PAGE + 1, status=state)
    block = next((block for block in frames.blocks(session(), row.id, frame) if block.step_index == step), None)
    if block is None:
        raise NotFound(sentence("there is no such block in this execution"))
    written = written_steps(session(), row)
    owner = next((candidate for candidate in all_steps(written) if candidate.index == step), None)
    return render_template(
        "executions/items.html",
        execution=row,
        workflow_name=workflow_name(row),
        way=way_to(row, frame, written),
        title=step_title(owner),
        noun=owner.loop.noun if owner and owner.loop else "item",
        is_made_for_item=owner is None or owner.loop is None or owner.loop.is_made_for_item,
        block=block,
        items=page[:PAGE],
        after=page[PAGE - 1].position if len(page) > PAGE else None,
        paged=after >= 0,
        frame=frame,
        step=step,
        state=state,
        states=STATES,
    )


@blueprint.get("/executions/<uuid:execution_id>/input")
def step_input(execution_id: UUID) -> str:
    """Show a step's input, as a part of its page."""
    row = executions.get(session(), viewer_id(), execution_id)
    step, frame = _requested_number("step", 0), requested_frame()
    resolved = resolved_input(session(), load_catalog(), backends().resume_links, row, step, frame)
    return render_template("executions/_input.html", resolved=resolved, key=f"input-{frame}-{step}")


@blueprint.get("/executions/<uuid:execution_id>/output")
def step_output(execution_id: UUID) -> str:
    """Show a step's output, as a part of its page."""
    row = executions.get(session(), viewer_id(), execution_id)
    step, frame = find_step(written_steps(session(), row), _requested_number("step", 0)), requested_frame()
    output = executions.output_in(session(), row, frame, step.key)
    return render_template(
        "executions/_output.html", output=output, key=f"output-{frame}-{step.index}", step_id=step.id
    )


def _requested_number(name: str, otherwise: int) -> int:
    number = request.args.get(name, otherwise, type=int)
    return number if -1 <= number < 2**31 else otherwise


def _requested_state() -> FrameStatus | None:
    state = request.args.get("state", "")
    return FrameStatus(state) if state in STATES else None
