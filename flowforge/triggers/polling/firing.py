"""That a trigger which is polled has started its workflow."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, update

from flowforge.db.tables import TriggerRegistration


def note_fired(connection: Connection, trigger_id: UUID) -> None:
    """`updated_at` stays: it records when a person changed the trigger."""
    trigger = TriggerRegistration
    connection.execute(
        update(trigger)
        .where(trigger.id == trigger_id)
        .values(last_triggered_at=datetime.now(UTC), updated_at=trigger.updated_at)
    )
