"""Rows of trigger_registrations for the tests, and the events that came of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, insert, select, update

from flowforge.db.tables import TriggerEventRow, TriggerRegistration
from flowforge.ids import uuid7


def register(engine: Engine, trigger_type: str, configuration: Any, **columns: Any) -> UUID:
    """A trigger as it lies in the table, enabled unless `columns` says otherwise."""
    values = {
        "id": uuid7(),
        "workflow_id": uuid7(),
        "user_id": uuid7(),
        "trigger_type": trigger_type,
        "configuration": configuration,
        "enabled": True,
        "updated_at": datetime.now(UTC),
    } | columns
    with engine.begin() as connection:
        connection.execute(insert(TriggerRegistration).values(**values))
    return values["id"]


def mailbox(engine: Engine, config: Mapping[str, Any], **columns: Any) -> UUID:
    """An email trigger that exists since a minute ago."""
    created = datetime.now(UTC) - timedelta(minutes=1)
    values = {"trigger_type": "email", "created_at": created, "updated_at": created} | columns
    return register(engine, configuration=config, **values)


def change(engine: Engine, trigger_id: UUID, **columns: Any) -> None:
    """What a person's edit does; `updated_at` follows."""
    with engine.begin() as connection:
        connection.execute(update(TriggerRegistration).where(TriggerRegistration.id == trigger_id).values(**columns))


def trigger(engine: Engine, trigger_id: UUID) -> Mapping[str, Any]:
    table = TriggerRegistration.__table__
    with engine.connect() as connection:
        return connection.execute(select(table).where(table.c.id == trigger_id)).one()._mapping


def events(engine: Engine, trigger_id: UUID) -> list[TriggerEventRow]:
    """In the order of their acceptance."""
    table = TriggerEventRow.__table__
    with engine.connect() as connection:
        return list(connection.execute(select(table).where(table.c.trigger_id == trigger_id).order_by(table.c.id)))


def subjects(engine: Engine, trigger_id: UUID) -> list[str]:
    """Those of the mails that have become events, in the order of their acceptance."""
    return [event.payload["subject"] for event in events(engine, trigger_id)]


def event_count(engine: Engine) -> int:
    with engine.connect() as connection:
        return len(connection.execute(select(TriggerEventRow.id)).all())
