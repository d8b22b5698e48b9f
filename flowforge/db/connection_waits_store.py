"""Attempts that wait for a connection to be signed in with again.

The caller owns the transaction. Whether a connection is broken is decided under a lock of its grant, so that no step
begins to wait for what has just been mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.attempt_rows import AttemptKey

KIND = "connection"
LONGEST_SECONDS = 24 * 3600
_FAILURE = "nobody has signed in again within a day"


@dataclass(frozen=True, slots=True)
class WaitingAttempt(AttemptKey):
    """An attempt that cannot be made with its connection as it is; `message` says why."""

    connection: UUID
    message: str


def begin(connection: Connection, owner: str, attempts: Sequence[WaitingAttempt]) -> set[AttemptKey]:
    """Lets attempts wait that the executor has; those whose connection works again by now are queued at once. It is as
    if they had not begun. Returns those that the owner still had."""
    rows = connection.exec_driver_sql(
        """
        WITH wanted AS (
            SELECT r.* FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                execution_id uuid, step_index int, iteration int, attempt int, connection uuid, message text)
        ), broken AS (
            SELECT id FROM workflow.oauth_grants
            WHERE id IN (SELECT connection FROM wanted) AND broken_at IS NOT NULL ORDER BY id FOR SHARE
        )
        UPDATE orchestrator.step_attempts a
        SET state = CASE WHEN b.id IS NULL THEN 'QUEUED' ELSE 'WAITING' END, parked = false, sent_at = NULL,
            due_at = now() + CASE WHEN b.id IS NULL THEN interval '0' ELSE make_interval(secs => %(longest)s) END,
            waiting = CASE WHEN b.id IS NOT NULL THEN jsonb_build_object('kind', %(kind)s::text, 'failsWhenDue', true,
                'connection', w.connection, 'message', w.message, 'failure', %(failure)s::text) END,
            lease_owner = NULL, lease_until = NULL, lapsed_at = NULL,
            claims = a.claims - CASE WHEN a.started_at IS NULL THEN 0 ELSE 1 END, started_at = NULL
        FROM wanted w LEFT JOIN broken b ON b.id = w.connection
        WHERE a.execution_id = w.execution_id AND a.step_index = w.step_index AND a.iteration = w.iteration
            AND a.attempt = w.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {
            "rows": jsonio.dumps(attempts).decode(),
            "owner": owner,
            "longest": LONGEST_SECONDS,
            "kind": KIND,
            "failure": _FAILURE,
        },
    )
    return {AttemptKey(*row) for row in rows}


def go_on(connection: Connection, connection_id: UUID) -> int:
    """Queues the attempts that wait for the connection; returns how many. Their messages are sent like those of retries
    that are due."""
    return connection.exec_driver_sql(
        f"""
        UPDATE orchestrator.step_attempts SET {_AGAIN}
        WHERE state = 'WAITING' AND waiting->>'connection' = %(id)s
        """,  # noqa: S608  (columns)
        {"id": str(connection_id)},
    ).rowcount


def go_on_where_mended(connection: Connection, limit: int) -> int:
    """Queues attempts whose connection works, or is gone; returns how many."""
    return connection.exec_driver_sql(
        f"""
        UPDATE orchestrator.step_attempts SET {_AGAIN}
        WHERE (execution_id, step_index, iteration, attempt) IN (
            SELECT a.execution_id, a.step_index, a.iteration, a.attempt FROM orchestrator.step_attempts a
            LEFT JOIN workflow.oauth_grants g ON g.id = (a.waiting->>'connection')::uuid
            WHERE a.state = 'WAITING' AND a.waiting->>'connection' IS NOT NULL AND g.broken_at IS NULL
            LIMIT %(limit)s FOR UPDATE OF a SKIP LOCKED
        )
        """,  # noqa: S608  (columns)
        {"limit": limit},
    ).rowcount


_AGAIN = "state = 'QUEUED', due_at = now(), sent_at = NULL, parked = false, waiting = NULL"
