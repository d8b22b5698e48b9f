"""A trigger that fails starts the workflow that its own workflow names for errors."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

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
        named = (workflow.settings or {}).get("errorWorkflow") if workflow else None
        if workflow is None or not named:
            return
        payload = {
            "error": {"message": message},
            "trigger": trigger,
            "workflow": {"id": workflow.id, "name": workflow.name},
        }
        metadata = {"source": ERROR, "workflowId": workflow.id, "triggerId": trigger["id"]}
        event = NewEvent(None, UUID(named), workflow.user_id, ERROR, payload, metadata)
        intake.record(session.connection(), [event])
        session.commit()
    intake.announce(backends.bus, [event], inline_limit=backends.settings.payload_inline_limit)
