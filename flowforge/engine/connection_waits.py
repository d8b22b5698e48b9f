"""Steps that wait until somebody has signed in again with the connection they use."""

from __future__ import annotations

from uuid import UUID

from flowforge.db import connection_waits_store
from flowforge.db.engine import Connection


def go_on(connection: Connection, connection_id: UUID) -> int:
    """Queues the steps that wait for the connection, in the caller's transaction; returns how many. Their messages are
    sent like those of retries that are due."""
    return connection_waits_store.go_on(connection, connection_id)
