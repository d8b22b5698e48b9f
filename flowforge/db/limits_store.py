"""Limits of workflows: who may begin now, and who is next. Decisions about one key are made one after another, under
an advisory lock that ends with the transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio

NO_PLACE = datetime(9999, 1, 1, tzinfo=UTC)
"""As a time to begin: when another execution of the key is over."""


def lock_keys(connection: Connection, keys: Sequence[str]) -> None:
    """In one order, so that two processes cannot wait for each other."""
    connection.exec_driver_sql(
        """
        SELECT pg_advisory_xact_lock(hashtextextended(k.key, 0))
        FROM (SELECT DISTINCT unnest(%(keys)s::text[]) AS key ORDER BY 1) k
        """,
        {"keys": list(keys)},
    )


def running(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    """How many executions of each key run now."""
    rows = connection.exec_driver_sql(
        """
        SELECT concurrency_key, count(*) FROM orchestrator.workflow_executions
        WHERE concurrency_key = ANY(%(keys)s) AND finished_at IS NULL AND status = 'RUNNING'
        GROUP BY concurrency_key
        """,
        {"keys": list(keys)},
    )
    return {row[0]: row[1] for row in rows}


def let_next_begin(connection: Connection, keys: Sequence[str]) -> None:
    """The oldest execution of each key that waits for a place is looked at again, at once."""
    lock_keys(connection, keys)
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.workflow_executions x SET begin_at = now()
        FROM unnest(%(keys)s::text[]) AS k(key)
        WHERE x.id = (
            SELECT id FROM orchestrator.workflow_executions w
            WHERE w.concurrency_key = k.key AND w.finished_at IS NULL AND w.status = 'PENDING'
                AND w.begin_at = %(no_place)s
            ORDER BY w.created_at, w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        """,
        {"keys": list(keys), "no_place": NO_PLACE},
    )


def put_off(connection: Connection, begin_at: Mapping[UUID, datetime]) -> None:
    """Executions stay in the queue until that time."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.workflow_executions x SET begin_at = r.begin_at
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, begin_at timestamptz) WHERE x.id = r.id
        """,
        {"rows": jsonio.dumps([{"id": id_, "begin_at": at} for id_, at in begin_at.items()]).decode()},
    )


def oldest_running(connection: Connection, key: str, limit: int) -> list[UUID]:
    """Running executions of the key that nobody has in hand, the oldest first."""
    rows = connection.exec_driver_sql(
        """
        SELECT id FROM orchestrator.workflow_executions
        WHERE concurrency_key = %(key)s AND finished_at IS NULL AND status = 'RUNNING'
        ORDER BY created_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        """,
        {"key": key, "limit": limit},
    )
    return [row[0] for row in rows]


def take_turns(connection: Connection, workflow_id: UUID, count: int, *, limit: int, seconds: float) -> list[datetime]:
    """When each of `count` executions may begin, so that at most `limit` do within `seconds` (a leaky bucket: the
    row holds when the last turn that was given out is over)."""
    rows = connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.rate_turns AS t (workflow_id, taken_until)
        VALUES (%(id)s, now() + make_interval(secs => %(each)s * %(count)s))
        ON CONFLICT (workflow_id) DO UPDATE
        SET taken_until = GREATEST(t.taken_until, now()) + make_interval(secs => %(each)s * %(count)s)
        RETURNING taken_until, now()
        """,
        {"id": str(workflow_id), "each": seconds / limit, "count": count},
    )
    until, now = rows.one()
    interval, burst = timedelta(seconds=seconds / limit), timedelta(seconds=seconds)
    ends = [until - interval * (count - 1 - number) for number in range(count)]
    return [max(now, end - burst) for end in ends]
