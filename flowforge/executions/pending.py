"""Executions that are not rows yet."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, TriggerEventRow
from flowforge.errors import NotFound


def awaited(session: Session, user_id: UUID, event_id: UUID, execution_id: UUID) -> ExecutionRow:
    """The execution that an accepted event will become, as long as it is none; not stored. Raises NotFound."""
    event = session.get(TriggerEventRow, event_id)
    if event is None or event.user_id != user_id or event.execution_id != execution_id:
        raise NotFound("there is no such execution")
    refused = event.dropped_because
    return ExecutionRow(
        id=execution_id,
        workflow_id=event.workflow_id,
        user_id=user_id,
        status="FAILED" if refused else "PENDING",
        current_step=0,
        trigger_type=event.trigger_type,
        trigger_payload=event.payload,
        created_at=event.created_at,
        error={"message": f"it was not started: {refused}"} if refused else None,
    )
