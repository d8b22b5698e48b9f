"""A trigger that fails starts the workflow that its own workflow names for errors, else that of the account."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.db import error_workflows_store
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import Workflow
from flowforge.engine import intake
from flowforge.engine.completion import ERROR
from flowforge.engine.intake import NewEvent
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends


def report(backends: Backends, workflow_id: UUID, trigger: JsonObject, message: str) -> None:
    """Starts the error workflow, where there is one. `trigger` is {id, type}. Raises Unavailable."""
    with unavailable_when_down(), Session(backends.engine) as session:
        workflow = session.get(Workflow, workflow_id)
        error_workflow = _error_workflow_of(session, workflow) if workflow else None
        if workflow is None or error_workflow is None:
            return
        payload = {
            "error": {"message": message},
            "trigger": trigger,
            "workflow": {"id": workflow.id, "name": workflow.name},
        }
        metadata = {"source": ERROR, "workflowId": workflow.id, "triggerId": trigger["id"]}
        event = NewEvent(None, error_workflow, workflow.user_id, ERROR, payload, metadata)
        intake.record(session.connection(), [event])
        session.commit()
    intake.announce(backends.bus, [event], inline_limit=backends.settings.payload_inline_limit)


def _error_workflow_of(session: Session, workflow: Workflow) -> UUID | None:
    named = (workflow.settings or {}).get("errorWorkflow")
    if named:
        return UUID(named)
    chosen = error_workflows_store.of_accounts(session.connection(), [workflow.user_id]).get(workflow.user_id)
    return None if chosen == workflow.id else chosen
