"""Attempts that wait for a time, a call, a person or another workflow.

Each query handles a whole batch in one statement; the caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.attempt_rows import AttemptKey, AttemptResult
from flowforge.db.prepared import PREPARED
from flowforge.db.sizes_store import LOADED_SIZE, MOST_BYTES
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class EndedWait(AttemptKey):
    """A waiting attempt that has ended. Its row holds the result, which is still to be announced."""

    workflow_id: UUID
    user_id: UUID
    succeeded: bool
    output: JsonObject | None
    message: str | None
    """The reason why it failed."""
    size: int
    """Estimated bytes of JSON that going on with its execution loads."""


_ENDED = f"""
    a.execution_id, a.step_index, a.iteration, a.attempt, x.workflow_id, x.user_id, a.succeeded, a.output,
    a.error->>'message', {LOADED_SIZE}
"""


def end_waits(connection: Connection, results: Sequence[AttemptResult]) -> list[EndedWait]:
    """Ends waiting attempts of running executions. Returns those that were still waiting."""
    ended = connection.exec_driver_sql(
        f"""
        UPDATE orchestrator.step_attempts a
        SET state = 'ENDED', succeeded = r.succeeded, output = r.output, output_order = r.output_order, error = r.error,
            finished_at = now()
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            execution_id uuid, step_index int, iteration int, attempt int, succeeded boolean, output jsonb,
            output_order jsonb, error jsonb), orchestrator.workflow_executions x
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'WAITING' AND x.id = a.execution_id AND x.status = 'RUNNING'
        RETURNING {_ENDED}
        """,  # noqa: S608  (names of columns)
        {"rows": jsonio.dumps_for_database(results)},
    )
    return [EndedWait(*row) for row in ended]


def end_due_waits(connection: Connection, limit: int, only: UUID | None = None) -> list[EndedWait]:
    """Ends at most `limit` waits whose time has come, of all executions or of `only` one, as far as these have at most
    MOST_BYTES together: rests that are over, waits for a call or a person that have timed out. Passes over
    executions that another transaction works on: locks are taken in one order, executions before their attempts."""
    ended = connection.exec_driver_sql(
        f"""
        UPDATE orchestrator.step_attempts a
        SET state = 'ENDED', finished_at = now(),
            succeeded = NOT COALESCE((a.waiting->>'failsWhenDue')::boolean, false),
            output = CASE WHEN a.waiting->>'kind' IN ('resume', 'approval') THEN '{{"timedOut": true}}'::jsonb
                ELSE '{{}}' END,
            error = CASE WHEN (a.waiting->>'failsWhenDue')::boolean
                THEN jsonb_build_object('permanent', true, 'message',
                    COALESCE(a.waiting->>'failure', 'nobody came within the time limit')) END
        FROM (
            SELECT due.*, sum(size) OVER in_order AS total, row_number() OVER in_order AS number
            FROM (
                SELECT t.execution_id, t.step_index, t.iteration, t.attempt, t.due_at, {LOADED_SIZE} AS size
                FROM orchestrator.step_attempts t JOIN orchestrator.workflow_executions x ON x.id = t.execution_id
                WHERE t.state = 'WAITING' AND t.due_at <= now()
                    AND (%(only)s::uuid IS NULL OR t.execution_id = %(only)s::uuid)
                ORDER BY t.due_at LIMIT %(limit)s FOR UPDATE OF x SKIP LOCKED
            ) due
            WINDOW in_order AS (ORDER BY due_at, execution_id, step_index, iteration)
        ) d, orchestrator.workflow_executions x
        WHERE a.execution_id = d.execution_id AND a.step_index = d.step_index AND a.iteration = d.iteration
            AND a.attempt = d.attempt AND a.state = 'WAITING' AND x.id = a.execution_id
            AND (d.total <= %(most)s OR d.number = 1)
        RETURNING {_ENDED}
        """,  # noqa: S608
        {"limit": limit, "only": only and str(only), "most": MOST_BYTES},
        execution_options=PREPARED,
    )
    return [EndedWait(*row) for row in ended]
