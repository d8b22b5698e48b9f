"""Announcements to the live views: one channel per execution, one JSON text per line of the log or draft of a step."""

from __future__ import annotations

from uuid import UUID

from flowforge import jsonio
from flowforge.events import ExecutionStart
from flowforge.jsonio import JsonObject
from flowforge.logbook import LogEntry

PATTERN = "flowforge:live:*"


def channel(execution_id: UUID) -> str:
    return PATTERN.replace("*", str(execution_id))


def entry_fields(entry: LogEntry) -> JsonObject:
    """A log entry as the API shows it (contract.md, section 1.1)."""
    return {
        "id": entry.id,
        "userId": entry.user_id,
        "workflowId": entry.workflow_id,
        "executionId": entry.execution_id,
        "eventId": entry.event_id,
        "eventType": entry.event_type,
        "status": entry.status,
        "data": entry.data,
        "timestamp": entry.timestamp,
    }


def entry_json(entry: LogEntry) -> bytes:
    return jsonio.dumps({"cursor": entry.cursor, "entry": entry_fields(entry)})


def draft_json(start: ExecutionStart, text: str) -> bytes:
    """The end of what a step has written so far: it takes the place of what was announced of that step before."""
    step = {"stepIndex": start.step_index, "iteration": start.iteration, "attempt": start.attempt}
    return jsonio.dumps({"draft": {**step, "text": text}})
