"""The frames of an execution in its pages: the one that is shown, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import request, url_for

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import NotFound
from flowforge.execution.state import ROOT
from flowforge.executions import frames
from flowforge.executions.views import ExecutionView, FrameView
from flowforge.executions.written_steps import WrittenStep, all_steps
from flowforge.sentences import sentence
from webapp.context import session
from webapp.translation.texts import gettext
from webapp.ui.kinds import title_of
from webapp.ui.loop_words import loop_run


@dataclass(frozen=True, slots=True)
class Crumb:
    """A block on the way from the workflow's own list to a frame. `items` is None for a branch, which has no list."""

    title: str
    label: str
    noun: str
    """The name of what the frame runs: an item, a round, a branch."""
    items: str | None
    inside: str


def requested_frame() -> int:
    """The frame in the address; anything that is none is the workflow's own list."""
    frame = request.args.get("frame", ROOT, type=int)
    return frame if 0 <= frame < 2**31 else ROOT


def step_title(written: WrittenStep | None) -> str:
    action = written.action if written else None
    return title_of(load_catalog(), action.type, action.name, action.id) if action else "A block"


def steps_of_frame(row: ExecutionView, frame: int, every: Sequence[WrittenStep]) -> Sequence[WrittenStep]:
    """The list of steps that the frame runs. Raises NotFound."""
    found = frames.get(session(), row.id, frame)
    block = next((step for step in every if step.index == found.block_step), None)
    listed = block.list_in_frame(found.position) if block else None
    if listed is None:
        raise NotFound(sentence("there is no such frame in this execution"))
    return listed.steps


def way_to(row: ExecutionView, frame: int, written: Sequence[WrittenStep]) -> list[Crumb]:
    """Outermost first. Raises NotFound."""
    every = {step.index: step for step in all_steps(written)}
    way: list[Crumb] = []
    while frame != ROOT:
        found = frames.get(session(), row.id, frame)
        block = every.get(found.block_step)
        way.insert(0, _crumb(row.id, found, block))
        frame = found.block_frame
    return way


def run_labels(row: ExecutionView, numbers: Collection[int], written: Sequence[WrittenStep]) -> dict[int, str]:
    """Name the frames of these numbers for people: `round 2`, or as their branch; `run 7` where no more is known."""
    blocks = {step.index: step for step in all_steps(written)}
    found = frames.positions(session(), row.id, numbers) if numbers else ()
    labels = {frame.number: _label(frame.position, blocks.get(frame.block_step)) for frame in found}
    return {number: labels.get(number) or gettext("run %(number)s", number=number) for number in numbers}


def _label(position: int, block: WrittenStep | None) -> str:
    """The name of a block's run; empty for a branch that is not known."""
    if block and block.loop:
        return loop_run(block.loop.noun, position)
    branch = block.list_in_frame(position) if block else None
    return branch.name if branch else ""


def _crumb(execution_id: UUID, frame: FrameView, block: WrittenStep | None) -> Crumb:
    inside = url_for("ui.execution", execution_id=execution_id, frame=frame.number)
    noun = block.loop.noun if block and block.loop else "branch"
    items = _items_path(execution_id, frame.block_frame, frame.block_step) if block and block.loop else None
    return Crumb(step_title(block), _label(frame.position, block), noun, items, inside)


def _items_path(execution_id: UUID, frame: int, step: int) -> str:
    return url_for("ui.execution_items", execution_id=execution_id, frame=frame or None, step=step)
