"""Messages nobody could read, kept with their reason for people to look at."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from flowforge.bus import Delivery
from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import DeadLetter
from flowforge.ids import uuid7

_REASON_LENGTH = 4000


def bury(engine: Engine, delivery: Delivery, group: str, reason: str) -> None:
    """Idempotent: a message that comes again is kept once. Raises Unavailable."""
    statement = (
        insert(DeadLetter)
        .values(
            id=uuid7(),
            topic=delivery.topic,
            consumer_group=group,
            position=delivery.position,
            key=delivery.key,
            value=delivery.value,
            reason=reason[:_REASON_LENGTH],
        )
        .on_conflict_do_nothing()
    )
    with unavailable_when_down(), engine.begin() as connection:
        connection.execute(statement)
