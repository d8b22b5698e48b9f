"""Accepted events, as the bus would bring them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from flowforge.db.redelivery_store import UnhandledEvent
from flowforge.events import TriggerEvent
from flowforge.jsonio import JsonObject


class AcceptedEvent(Protocol):
    """What PostgreSQL knows of an event, beside its payload."""

    @property
    def event_id(self) -> UUID: ...
    @property
    def trigger_id(self) -> UUID | None: ...
    @property
    def workflow_id(self) -> UUID: ...
    @property
    def user_id(self) -> UUID: ...
    @property
    def trigger_type(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def metadata(self) -> JsonObject: ...


def referring_event(event: AcceptedEvent, size: int | None = None) -> TriggerEvent:
    """The event's message without its payload, to which it refers; `size`: the bytes of that, where they are known."""
    return TriggerEvent(
        event_id=event.event_id,
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        timestamp=event.created_at,
        metadata=event.metadata,
        by_reference=True,
        size=size,
    )


def trigger_event(event: UnhandledEvent) -> TriggerEvent:
    """The event's message; by reference, where its payload was not read."""
    referring = referring_event(event, event.size)
    if event.payload is None:
        return referring
    return referring.model_copy(update={"payload": event.payload, "by_reference": None, "size": None})
