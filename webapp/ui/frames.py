"""The frames of an execution in its pages: where somebody stands, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import request, url_for

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import ExecutionRow
from flowforge.errors import NotFound
from flowforge.execution.state import ROOT
from flowforge.executions import frames
from flowforge.executions.written_steps import WrittenStep
from flowforge.language.blocks import BlockType
from webapp.context import session
from webapp.ui.kinds import title_of


@dataclass(frozen=True, slots=True)
class Crumb:
    """A block on the way from the workflow's own list to a frame. `items` is None for a branch, which has no list."""

    title: str
    says: str
    items: str | None
    inside: str


def asked_frame() -> int:
    """The frame in the address; anything that is none is the workflow's own list."""
    frame = request.args.get("frame", ROOT, type=int)
    return frame if 0 <= frame < 2**31 else ROOT


def step_title(written: WrittenStep | None) -> str:
    action = written.action if written else None
    return title_of(load_catalog(), action.type, action.name, action.id) if action else "A block"


def steps_of_frame(row: ExecutionRow, frame: int, every: Sequence[WrittenStep]) -> Sequence[WrittenStep]:
    """The list of steps that the frame runs. Raises NotFound."""
    found = frames.get(session(), row.id, frame)
    block = next((step for step in every if step.index == found.block_step), None)
    lists = [] if block is None else [inner for inner in block.inside if inner.body.kind != "error"]
    if block is None or not lists:
        raise NotFound("there is no such frame in this execution")
    return lists[found.position if block.action.type == BlockType.PARALLEL else 0].steps


def way_to(row: ExecutionRow, frame: int, written: Sequence[WrittenStep]) -> list[Crumb]:
    """Outermost first. Raises NotFound."""
    every = {step.index: step for top in written for step in top.all()}
    way: list[Crumb] = []
    while frame != ROOT:
        found = frames.get(session(), row.id, frame)
        block = every.get(found.block_step)
        is_loop = block is not None and block.action.type == BlockType.FOR_EACH
        branch = block.inside[found.position].name if block and not is_loop else ""
        way.insert(
            0,
            Crumb(
                step_title(block),
                f"item {found.position + 1}" if is_loop else branch,
                _items_path(row.id, found.block_frame, found.block_step) if is_loop else None,
                url_for("ui.execution", execution_id=row.id, frame=frame),
            ),
        )
        frame = found.block_frame
    return way


def _items_path(execution_id: UUID, frame: int, step: int) -> str:
    return url_for("ui.execution_items", execution_id=execution_id, frame=frame or None, step=step)
