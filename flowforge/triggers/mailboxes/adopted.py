"""Mailboxes of an adopted database, which were never given a time at which they are due."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import case, func, update

from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import TriggerRegistration
from flowforge.triggers.mailboxes.mailbox import EMAIL, StartWith
from flowforge.wiring import Backends


def start_unscheduled(backends: Backends, now: datetime | None = None) -> int:
    """Let polling begin for enabled mailboxes that never had a due time: those of an adopted database.

    Their owners are used to the originals, which take all unseen mail at first.
    """
    trigger = TriggerRegistration
    is_usable = func.jsonb_typeof(trigger.configuration) == "object"
    configuration = case((is_usable, trigger.configuration), else_=func.jsonb_build_object())
    adopt = (
        update(trigger)
        .where(trigger.enabled, func.lower(trigger.trigger_type) == EMAIL, trigger.next_scheduled_at.is_(None))
        .values(
            next_scheduled_at=now or datetime.now(UTC),
            configuration=func.jsonb_build_object("startWith", StartWith.UNSEEN.value).op("||")(configuration),
            updated_at=trigger.updated_at,
        )
    )
    with unavailable_when_down(), backends.engine.begin() as connection:
        return connection.execute(adopt).rowcount
