"""Outputs that stand for steps while a workflow is tried out; what triggers start never sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.db.refusals import refused_as
from flowforge.db.tables import PinnedOutput
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.field_order import order_of, restore
from flowforge.jsonio import JsonObject

TRIGGER = "trigger"
"""The name under which the payload is pinned."""
MOST_PINNED_BYTES = 256 * 1024
MOST_PINS = 1_000


def pinned_outputs(session: Session, workflow_id: UUID) -> dict[str, JsonObject]:
    """Find the pinned outputs by the step's id; the payload under `trigger`."""
    rows = session.scalars(select(PinnedOutput).where(PinnedOutput.workflow_id == workflow_id).limit(MOST_PINS))
    return {row.step_id: restore(row.output, row.output_order) for row in rows}


def pin(session: Session, workflow_id: UUID, step_id: str, output: Mapping[str, Any]) -> None:
    """Commits. Raises Invalid for what is too large, and Conflict where the workflow is deleted meanwhile."""
    try:
        jsonio.dumps_within(output, MOST_PINNED_BYTES)
    except jsonio.TooLarge as error:
        raise Invalid.at("", f"has {error}") from error
    kept = jsonio.loads(jsonio.dumps_for_database(output))
    values = {"output": kept, "output_order": order_of(kept), "updated_at": datetime.now(UTC)}
    statement = insert(PinnedOutput).values(workflow_id=workflow_id, step_id=step_id, **values)
    with refused_as(session, Conflict("the workflow was deleted meanwhile")):
        session.execute(statement.on_conflict_do_update(index_elements=["workflow_id", "step_id"], set_=values))
        session.commit()


def unpin(session: Session, workflow_id: UUID, step_id: str) -> None:
    """Commits. Raises NotFound."""
    gone = session.execute(
        delete(PinnedOutput).where(PinnedOutput.workflow_id == workflow_id, PinnedOutput.step_id == step_id)
    )
    session.commit()
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise NotFound("nothing is pinned there")
