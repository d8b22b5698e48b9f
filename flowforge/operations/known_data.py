"""What the expressions of a step would see, as far as it is known before it runs: from what is pinned, else from the
latest execution. Looking it up costs the same however many executions there were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, FrameRow, PinnedOutput
from flowforge.errors import Invalid, NotFound
from flowforge.language.pointers import parsed
from flowforge.operations.plans import Plans, Version

TRIGGER = "trigger"
"""What is pinned under this name stands for what comes in."""
MOST_PINNED_BYTES = 256 * 1024
_LOOKED_AT = 5
"""Executions, to find one that has got somewhere."""
_FRAMES = 50

Json = dict[str, Any]


def known_data(session: Session, workflow_id: UUID, definition: Mapping[str, Any], at: str) -> Json:
    """The roots of expressions for the step at the pointer `at`: `trigger`, `steps`, and inside blocks `item`, `loop`
    and `error`. At most five statements."""
    pinned = pins(session, workflow_id)
    latest = list(_latest(session, workflow_id))
    run = next((row for row in latest if row.step_outputs), None)
    version = _version(session, run)
    frames = _frames(session, run) if run and version and _has_blocks(version) else []
    outputs: Json = {}
    for frame in frames:
        outputs |= version.plan.outputs(frame.outputs or {}) if version else {}
    if run is not None and version is not None:
        outputs |= version.plan.outputs(run.step_outputs or {})
    trigger = pinned.pop(TRIGGER, None) or next((row.trigger_payload for row in latest if row.trigger_payload), None)
    found: Json = {"trigger": trigger or {}, "steps": {**outputs, **pinned}}
    for kind, owner in _around(definition, at):
        if kind == "item":
            found |= _item(version, owner, frames)
        elif kind == "error":
            found["error"] = {"message": "what went wrong", "step": owner.get("id"), "attempt": 1}
    return found


def sample(session: Session, workflow_id: UUID) -> Json | None:
    """What came in last, or what is pinned in its place; None where nothing has come in yet."""
    pinned = session.get(PinnedOutput, (workflow_id, TRIGGER))
    if pinned is not None:
        return dict(pinned.output)
    return next((row.trigger_payload for row in _latest(session, workflow_id) if row.trigger_payload), None)


def pins(session: Session, workflow_id: UUID) -> dict[str, Json]:
    """By the step's id; `trigger` for what comes in."""
    rows = session.scalars(select(PinnedOutput).where(PinnedOutput.workflow_id == workflow_id))
    return {row.step_id: row.output for row in rows}


def pin(session: Session, workflow_id: UUID, step_id: str, output: Mapping[str, Any]) -> None:
    """Commits."""
    statement = insert(PinnedOutput).values(workflow_id=workflow_id, step_id=step_id, output=dict(output))
    session.execute(
        statement.on_conflict_do_update(index_elements=["workflow_id", "step_id"], set_={"output": dict(output)})
    )
    session.commit()


def unpin(session: Session, workflow_id: UUID, step_id: str) -> None:
    """Commits. Raises NotFound."""
    gone = session.execute(
        delete(PinnedOutput).where(PinnedOutput.workflow_id == workflow_id, PinnedOutput.step_id == step_id)
    )
    session.commit()
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise NotFound("nothing is pinned there")


def _latest(session: Session, workflow_id: UUID) -> Iterator[ExecutionRow]:
    newest = select(ExecutionRow).where(ExecutionRow.workflow_id == workflow_id)
    return iter(
        session.scalars(newest.order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc()).limit(_LOOKED_AT))
    )


def _version(session: Session, run: ExecutionRow | None) -> Version | None:
    if run is None or run.version_id is None:
        return None
    return Plans().get(session.connection(), [run.version_id]).get(run.version_id)


def _has_blocks(version: Version) -> bool:
    return any(body.kind.has_frames for step in version.plan.steps for body in step.bodies)


def _frames(session: Session, run: ExecutionRow) -> list[FrameRow]:
    """The first of them, the latest last: its outputs count."""
    wanted = select(FrameRow).where(FrameRow.execution_id == run.id).order_by(FrameRow.number).limit(_FRAMES)
    return list(session.scalars(wanted))[::-1]


def _around(definition: Mapping[str, Any], at: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The blocks around a place, outermost first: `item` inside a loop, `error` inside what handles one."""
    value: Any = definition
    place = parsed(at)
    for depth, part in enumerate(place):
        if isinstance(value, dict) and part in ("actions", "onError") and depth > 0 and value.get("type"):
            is_loop = str(value["type"]).upper() == "FOR_EACH"
            if part == "onError" or is_loop:
                yield ("error" if part == "onError" else "item"), value
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError) as error:
            raise Invalid.at("/at", "there is no such step") from error


def _item(version: Version | None, loop: Mapping[str, Any], frames: list[FrameRow]) -> Json:
    index = version.plan.names().get(str(loop.get("id"))) if version else None
    items = [frame for frame in frames if frame.block_step == index]
    found: Json = {"loop": {"index": 0, "number": 1, "count": max(len(items), 1), "first": True, "last": False}}
    return found | ({"item": items[-1].item} if items else {})
