"""What lines of the log in PostgreSQL hold."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from flowforge.db.tables import LogEntryRow
from flowforge.logbook.packed_data import unpack


def logged_data(connection: Connection, event_type: str | None = None) -> list[Any]:
    """The data of all lines, or those of one type, as they are stored but for their packing."""
    lines = select(LogEntryRow.data, LogEntryRow.packed)
    if event_type is not None:
        lines = lines.where(LogEntryRow.event_type == event_type)
    return [data if packed is None else unpack(packed) for data, packed in connection.execute(lines)]
