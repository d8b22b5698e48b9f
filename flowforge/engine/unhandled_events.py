"""Accepted events without an execution, as the bus would bring them."""

from __future__ import annotations

from flowforge.db.redelivery_store import UnhandledEvent
from flowforge.events import TriggerEvent


def trigger_event(event: UnhandledEvent) -> TriggerEvent:
    """The event's message; by reference, where its payload was not read."""
    return TriggerEvent(
        event_id=event.event_id,
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        timestamp=event.created_at,
        metadata=event.metadata,
        payload=event.payload or {},
        by_reference=True if event.payload is None else None,
        size=event.size if event.payload is None else None,
    )
