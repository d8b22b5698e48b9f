"""Retries and other things that become due by time alone.

The caller owns the transaction. Locks are taken in one order: executions before their attempts.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.prepared import PREPARED


def take_due_retries(connection: Connection, limit: int, only: UUID | None = None) -> list[AttemptKey]:
    """Marks at most `limit` retries as sent whose time has come and whose message was not sent yet, of all executions
    or of `only` one. Passes over executions that another transaction works on."""
    rows = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a SET sent_at = now()
        FROM (
            SELECT t.execution_id, t.step_index, t.iteration, t.attempt
            FROM orchestrator.step_attempts t JOIN orchestrator.workflow_executions x ON x.id = t.execution_id
            WHERE t.state = 'QUEUED' AND t.sent_at IS NULL AND t.due_at <= now()
                AND (%(only)s::uuid IS NULL OR t.execution_id = %(only)s::uuid)
            ORDER BY t.due_at LIMIT %(limit)s FOR UPDATE OF x SKIP LOCKED
        ) d
        WHERE a.execution_id = d.execution_id AND a.step_index = d.step_index
            AND a.iteration = d.iteration AND a.attempt = d.attempt
            AND a.state = 'QUEUED' AND a.sent_at IS NULL
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"limit": limit, "only": only and str(only)},
        execution_options=PREPARED,
    )
    return [AttemptKey(*row) for row in rows]


def due_executions(connection: Connection, limit: int) -> list[UUID]:
    """Returns every execution in which something is due now: a retry, the end of a wait, its time limit. At most
    `limit` of each kind."""
    rows = connection.exec_driver_sql(
        """
        (SELECT execution_id FROM orchestrator.step_attempts
         WHERE state = 'QUEUED' AND sent_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT %(limit)s)
        UNION
        (SELECT execution_id FROM orchestrator.step_attempts
         WHERE state = 'WAITING' AND due_at <= now() ORDER BY due_at LIMIT %(limit)s)
        UNION
        (SELECT id FROM orchestrator.workflow_executions
         WHERE deadline <= now() AND finished_at IS NULL ORDER BY deadline LIMIT %(limit)s)
        """,
        {"limit": limit},
    )
    return [row[0] for row in rows]
