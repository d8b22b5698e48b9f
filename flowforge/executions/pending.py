"""Executions that are not rows yet."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.db.tables import TriggerEventRow
from flowforge.errors import NotFound
from flowforge.executions.views import ExecutionView
from flowforge.field_order import restore
from flowforge.sentences import sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedExecutionView(ExecutionView):
    """The execution that an accepted event will become."""


def awaited(session: Session, user_id: UUID, event_id: UUID, execution_id: UUID) -> AwaitedExecutionView:
    """Find the execution that an accepted event will become, as long as it is none. Raises NotFound."""
    event = session.get(TriggerEventRow, event_id)
    if event is None or event.user_id != user_id or event.execution_id != execution_id:
        raise NotFound(sentence("there is no such execution"))
    refused = event.dropped_because
    return AwaitedExecutionView(
        id=execution_id,
        workflow_id=event.workflow_id,
        user_id=user_id,
        status="FAILED" if refused else "PENDING",
        current_step=0,
        error={"message": f"it was not started: {refused}"} if refused else None,
        trigger_id=event.trigger_id,
        trigger_type=event.trigger_type,
        created_at=event.created_at,
        finished_at=None,
        updated_at=event.created_at,
        event_id=event_id,
        version_id=None,
        parent_execution_id=None,
        replay_of=None,
        trigger_payload=restore(event.payload, event.payload_order),
        step_outputs=None,
        result=None,
    )
