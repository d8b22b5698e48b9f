"""Executions that a limit of their workflow holds back, and the locks under which they are let go.

A held execution is PENDING. It waits for a slot among those of its concurrency key (`begin_at` is NO_SLOT); then, with
its slot, for a rate permit of its workflow (`begin_at` is an earlier time). `slots_store` and `permits_store` count
both.

Decisions about one key, or about the permits of one workflow, are made one after another, under advisory locks that end
with the transaction. A transaction takes them once and in this order: keys, workflows, and only then rows of
executions. So no two can wait for each other, and one that only ends executions takes none. The partial indexes of
migration 0011 repeat the conditions below, and no other index has them: nothing here reads a queue as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.executions_store import STATE_COLUMNS, ExecutionState, execution_state
from flowforge.db.sizes_store import LOADED_SIZE, MOST_BYTES

NO_SLOT = datetime(9999, 1, 1, tzinfo=UTC)
"""The time to begin of an execution that waits for another one of its key to end."""

_NO_SLOT = "'9999-01-01 00:00:00+00'::timestamptz"
HAS_SLOT = f"x.status IN ('PENDING', 'RUNNING') AND x.begin_at IS DISTINCT FROM {_NO_SLOT}"
"""The condition of an execution that runs, or will as soon as it has a permit."""
LACKS_SLOT = f"x.begin_at = {_NO_SLOT}"
LACKS_PERMIT = f"x.begin_at < {_NO_SLOT}"
"""The conditions of held executions: only what is PENDING has a time to begin."""


def lock_keys(connection: Connection, keys: Iterable[str]) -> None:
    """Locks concurrency keys in one order, so that two processes cannot wait for each other."""
    _lock(connection, set(keys))


def lock_permits(connection: Connection, workflow_ids: Iterable[UUID]) -> None:
    """Locks the rate permits of workflows in one order; after the keys, never before them."""
    _lock(connection, {f"turns:{id_}" for id_ in workflow_ids})  # the name that processes of earlier releases lock


def _lock(connection: Connection, names: set[str]) -> None:
    if not names:
        return
    connection.exec_driver_sql(
        """
        SELECT pg_advisory_xact_lock(hashtextextended(n.name, 0))
        FROM (SELECT unnest(%(names)s::text[]) AS name ORDER BY 1) n
        """,
        {"names": list(names)},
    )


def lock_lacking_slots(connection: Connection, how_many: Mapping[str, int]) -> list[ExecutionState]:
    """Locks so many executions of each concurrency key: those that have waited longest for a slot, the oldest first, as
    far as they have at most MOST_BYTES together."""
    return _lock_longest_waiting(connection, "concurrency_key", "text", LACKS_SLOT, how_many)


def lock_lacking_permits(connection: Connection, how_many: Mapping[UUID, int]) -> list[ExecutionState]:
    """Locks so many executions of each workflow: those that have waited longest for a permit, the oldest first, as far
    as they have at most MOST_BYTES together."""
    counts = {str(id_): count for id_, count in how_many.items()}
    return _lock_longest_waiting(connection, "workflow_id", "uuid", LACKS_PERMIT, counts)


def _lock_longest_waiting(
    connection: Connection, column: str, type_: str, condition: str, how_many: Mapping[str, int]
) -> list[ExecutionState]:
    rows = connection.exec_driver_sql(
        f"""
        SELECT {STATE_COLUMNS} FROM (
            SELECT x.*, sum({LOADED_SIZE}) OVER waiting AS total, row_number() OVER waiting AS number
            FROM unnest(%(keys)s::{type_}[], %(counts)s::int[]) AS k(key, count)
            CROSS JOIN LATERAL (
                SELECT * FROM orchestrator.workflow_executions x
                WHERE x.{column} = k.key AND {condition}
                ORDER BY x.created_at, x.id LIMIT k.count FOR UPDATE SKIP LOCKED) x
            WINDOW waiting AS (ORDER BY x.created_at, x.id)
        ) x WHERE x.total <= %(most)s OR x.number = 1
        ORDER BY x.created_at, x.id
        """,  # noqa: S608  (names and conditions of ours)
        {"keys": list(how_many), "counts": list(how_many.values()), "most": MOST_BYTES},
    )
    return [execution_state(row) for row in rows]


def put_off(connection: Connection, begin_at: Mapping[UUID, datetime]) -> None:
    """Notes, of executions that have a slot now, when they can have a permit at the earliest."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.workflow_executions x SET begin_at = r.begin_at
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, begin_at timestamptz) WHERE x.id = r.id
        """,
        {"rows": jsonio.dumps([{"id": id_, "begin_at": at} for id_, at in begin_at.items()]).decode()},
    )
