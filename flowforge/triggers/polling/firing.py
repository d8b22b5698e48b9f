"""That a trigger which is polled has started its workflow."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, update

from flowforge.db.tables import TriggerRegistration
from flowforge.triggers.polling.poll import Overtaken, PolledTrigger


def note_fired(connection: Connection, polled: PolledTrigger) -> None:
    """`updated_at` stays: it records when a person changed the trigger. Raises Overtaken where that was after the poll
    began: it may be another's by now, look elsewhere, or be off."""
    trigger = TriggerRegistration
    noted = connection.execute(
        update(trigger)
        .where(trigger.id == polled.id, trigger.enabled, trigger.updated_at == polled.updated_at)
        .values(last_triggered_at=datetime.now(UTC), updated_at=trigger.updated_at)
    )
    if not noted.rowcount:
        raise Overtaken
