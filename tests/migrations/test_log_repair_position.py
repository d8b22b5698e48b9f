"""How far the log was checked stays known when it moves to a table of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from alembic import command
from sqlalchemy import create_engine, text

from flowforge.db.engine import sqlalchemy_url
from flowforge.db.log_repair_store import RepairPosition, lock_repair_position
from flowforge.db.migrate import configuration, upgrade
from flowforge.ids import uuid7

_BEFORE = "0012"


def position_after_upgrade(url: str, *rows: tuple[str, str, datetime]) -> RepairPosition:
    """Rows (name, epoch, seen_at) of `bus_memory` as the release before has left them."""
    engine = create_engine(sqlalchemy_url(url))
    with engine.begin() as connection:
        command.upgrade(configuration(connection=connection), _BEFORE)
        for name, epoch, seen_at in rows:
            insert = text("INSERT INTO orchestrator.bus_memory (name, epoch, seen_at) VALUES (:name, :epoch, :at)")
            connection.execute(insert, {"name": name, "epoch": epoch, "at": seen_at})
    upgrade(url)
    with engine.begin() as connection:
        found = lock_repair_position(connection, longest_look_back_hours=1_000_000)
    engine.dispose()
    return found


def test_the_position_is_the_one_that_was_reached(empty_database_url: str) -> None:
    reached = RepairPosition(datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC), uuid7())
    row = ("ended executions", str(reached.execution_id), reached.finished_at)
    assert position_after_upgrade(empty_database_url, row) == reached


def test_what_never_checked_its_log_begins_now(empty_database_url: str) -> None:
    now = datetime.now(UTC)
    found = position_after_upgrade(empty_database_url, ("streams", "a mark of the bus", now))
    assert found.finished_at >= now
    assert found.execution_id == UUID(int=0)
