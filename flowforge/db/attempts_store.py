"""The executor's queries: claiming attempts, holding their leases, handing in results.

Each handles a whole batch in one statement; the caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.attempt_rows import AttemptKey, AttemptResult, permanent_error


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that an executor holds under a lease; `version_id` is the version its execution is pinned to."""

    key: AttemptKey
    version_id: UUID | None


def claim(connection: Connection, keys: Sequence[AttemptKey], *, owner: str, lease: float) -> list[Claim]:
    """Takes the attempts that are still queued in a running execution, for `lease` seconds; the row decides between two
    executors.

    An attempt without a row (another implementation's orchestrator sent it) gets one.
    """
    rows = connection.exec_driver_sql(
        """
        WITH wanted AS (
            SELECT DISTINCT ON (execution_id, step_index, iteration, attempt) *
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                execution_id uuid, step_index int, iteration int, attempt int)
        ), claimed AS (
            INSERT INTO orchestrator.step_attempts AS a
                (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at, claims,
                 lease_owner, lease_until, started_at)
            SELECT r.execution_id, r.step_index, r.iteration, r.attempt, x.workflow_id, 'RUNNING', now(), now(), 1,
                   %(owner)s, now() + make_interval(secs => %(lease)s), now()
            FROM wanted r JOIN orchestrator.workflow_executions x ON x.id = r.execution_id
            WHERE x.status = 'RUNNING' AND (r.iteration > 0 OR x.current_step = r.step_index)
            ON CONFLICT (execution_id, step_index, iteration, attempt) DO UPDATE
            SET state = 'RUNNING', parked = false, claims = a.claims + 1, lease_owner = excluded.lease_owner,
                lease_until = excluded.lease_until, started_at = excluded.started_at
            WHERE a.state = 'QUEUED'
            RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        )
        SELECT c.execution_id, c.step_index, c.iteration, c.attempt, x.version_id
        FROM claimed c JOIN orchestrator.workflow_executions x ON x.id = c.execution_id
        """,
        {"rows": _rows(keys), "owner": owner, "lease": lease},
    )
    return [Claim(AttemptKey(*key), version_id) for *key, version_id in rows]


def park(connection: Connection, keys: Sequence[AttemptKey]) -> None:
    """Leaves queued attempts in the table, for want of room: `find_parked` gives them out without a message."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a SET parked = true
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int, attempt int)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'QUEUED'
        """,
        {"rows": _rows(keys)},
    )


def find_parked(connection: Connection, *, full: Sequence[UUID], each: int, limit: int) -> list[AttemptKey]:
    """Returns parked attempts, the oldest first: at most `each` of one workflow, none of the `full` workflows.

    Walks the index from workflow to workflow: the cost grows with the number of workflows that wait, not with what
    waits behind them.
    """
    rows = connection.exec_driver_sql(
        """
        WITH RECURSIVE waiting AS (
            (SELECT workflow_id FROM orchestrator.step_attempts
             WHERE state = 'QUEUED' AND parked ORDER BY workflow_id LIMIT 1)
            UNION ALL
            SELECT (SELECT a.workflow_id FROM orchestrator.step_attempts a
                    WHERE a.state = 'QUEUED' AND a.parked AND a.workflow_id > waiting.workflow_id
                    ORDER BY a.workflow_id LIMIT 1)
            FROM waiting WHERE waiting.workflow_id IS NOT NULL
        )
        SELECT p.execution_id, p.step_index, p.iteration, p.attempt
        FROM waiting CROSS JOIN LATERAL (
            SELECT * FROM orchestrator.step_attempts a
            WHERE a.state = 'QUEUED' AND a.parked AND a.workflow_id = waiting.workflow_id AND a.due_at <= now()
            ORDER BY a.due_at LIMIT %(each)s
        ) p
        WHERE waiting.workflow_id <> ALL(%(full)s::uuid[])
        LIMIT %(limit)s
        """,
        {"full": [str(id_) for id_ in full], "each": each, "limit": limit},
    )
    return [AttemptKey(*row) for row in rows]


def extend_leases(connection: Connection, owner: str, keys: Sequence[AttemptKey], lease: float) -> None:
    """Extends the leases of these attempts. A claim whose COMMIT was not answered is nobody's: it has to run out."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a SET lease_until = now() + make_interval(secs => %(lease)s)
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int, attempt int)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        """,
        {"rows": _rows(keys), "owner": owner, "lease": lease},
    )


def refuse(connection: Connection, key: AttemptKey, reason: str) -> None:
    """Fails a queued attempt that no executor can begin; the orchestrator has yet to take that result."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET state = 'ENDED', parked = false, succeeded = false, error = %(error)s, finished_at = now()
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int, attempt int)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'QUEUED'
        """,
        {"rows": _rows([key]), "error": jsonio.dumps_for_database(permanent_error(reason))},
    )


def hand_in(connection: Connection, owner: str, results: Sequence[AttemptResult]) -> set[AttemptKey]:
    """Stores results. Returns the attempts whose results counted: a lease that was lost meanwhile makes one void."""
    counted = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET state = 'ENDED', succeeded = r.succeeded, output = r.output, error = r.error, finished_at = now(),
            lease_until = NULL
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            execution_id uuid, step_index int, iteration int, attempt int, succeeded boolean, output jsonb, error jsonb)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"rows": jsonio.dumps_for_database(results), "owner": owner},
    )
    return {AttemptKey(*row) for row in counted}


def give_back(connection: Connection, owner: str, keys: Sequence[AttemptKey]) -> None:
    """Parks attempts that a stopping executor has claimed but not begun: any other may take them at once."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET state = 'QUEUED', parked = true, claims = a.claims - 1, lease_owner = NULL, lease_until = NULL
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int, attempt int)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        """,
        {"rows": _rows(keys), "owner": owner},
    )


def _rows(keys: Sequence[AttemptKey]) -> str:
    return jsonio.dumps(keys).decode()
