"""What an execution's page needs beyond its row: the definition it follows, and what it is before it is a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, TriggerEventRow, WorkflowVersion
from flowforge.errors import NotFound
from flowforge.language.tree import actions_in


@dataclass(frozen=True, slots=True)
class Written:
    """An action as it was written. `depth` is 0 in the workflow's own list, more inside blocks."""

    action: Mapping[str, Any]
    depth: int


def actions_of(session: Session, execution: ExecutionRow) -> list[Written]:
    """The actions as they were when it started, by their step index, secrets sealed; empty for a run whose definition
    was never kept."""
    version = session.get(WorkflowVersion, execution.version_id) if execution.version_id else None
    actions = (version.definition or {}).get("actions") if version else None
    return [Written(action, sum(isinstance(part, int) for part in path) - 1) for path, action in actions_in(actions)]


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
