"""The executor's queries: claiming attempts, holding their leases, handing in results.

Each handles a whole batch in one statement; the caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.attempt_rows import AttemptKey, AttemptResult, as_plain, permanent_error
from flowforge.db.prepared import PREPARED


@dataclass(frozen=True, slots=True)
class WantedAttempt(AttemptKey):
    """An attempt to claim; `begins`: its call begins at once, rather than when a place is free for it. That is noted
    with the claim, unless the call needs care."""

    begins: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that an executor holds under a lease."""

    key: AttemptKey
    version_id: UUID | None
    """The version that its execution is pinned to."""
    repeats: int | None
    """The earlier attempt whose call it makes again."""
    needs_care: bool
    """Whether its call is made only once PostgreSQL holds that it begins: it must not be made twice, or an executor has
    died with it, perhaps by it."""
    is_awaited: bool
    """Whether somebody awaits the end of its execution."""


def claim(
    connection: Connection, wanted: Sequence[WantedAttempt], *, owner: str, lease: float, in_order: bool = True
) -> list[Claim]:
    """Takes the attempts that are still queued in a running execution, for `lease` seconds; the row decides between two
    executors.

    `in_order`: an attempt is parked instead while an older one of its workflow is. An attempt without a row (another
    implementation's orchestrator sent it) gets one. Each statement may commit by itself.
    """
    values = {"owner": owner, "lease": lease, "in_order": in_order}
    rows = connection.exec_driver_sql(
        """
        WITH ready AS MATERIALIZED (
            SELECT r.*, x.version_id, x.awaited_by IS NOT NULL AS is_awaited,
                   %(in_order)s AND EXISTS (
                       SELECT FROM orchestrator.step_attempts older
                       WHERE older.workflow_id = x.workflow_id AND older.state = 'QUEUED' AND older.parked
                           AND older.due_at < a.due_at
                   ) AS waits,
                   r.begins AND a.fails_after_crash IS NOT TRUE AND a.leases_lost IS NULL AS is_noted
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                execution_id uuid, step_index int, iteration int, attempt int, begins boolean)
            JOIN orchestrator.step_attempts a USING (execution_id, step_index, iteration, attempt)
            JOIN orchestrator.workflow_executions x ON x.id = r.execution_id
            WHERE a.state = 'QUEUED' AND x.status = 'RUNNING' AND (r.iteration > 0 OR x.current_step = r.step_index)
        )
        UPDATE orchestrator.step_attempts a
        SET state = CASE WHEN r.waits THEN 'QUEUED' ELSE 'RUNNING' END, parked = r.waits, lapsed_at = NULL,
            claims = a.claims + CASE WHEN r.is_noted AND NOT r.waits THEN 1 ELSE 0 END,
            lease_owner = CASE WHEN NOT r.waits THEN %(owner)s END,
            lease_until = CASE WHEN NOT r.waits THEN now() + make_interval(secs => %(lease)s) END,
            started_at = CASE WHEN r.is_noted AND NOT r.waits THEN now() END
        FROM ready r
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'QUEUED'
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt, r.version_id, a.repeats,
            a.fails_after_crash IS TRUE OR a.leases_lost IS NOT NULL, r.is_awaited, r.waits
        """,
        {"rows": _rows(wanted), **values},
        execution_options=PREPARED,
    ).all()
    claims = [Claim(AttemptKey(*row[:4]), *row[4:8]) for row in rows if not row.waits]
    if len(rows) == len(wanted):
        return claims
    found = {AttemptKey(*row[:4]) for row in rows}
    left = [one for one in wanted if as_plain(one) not in found]
    return claims + _claim_unknown(connection, left, values)


def _claim_unknown(
    connection: Connection, wanted: Sequence[WantedAttempt], values: Mapping[str, object]
) -> list[Claim]:
    """Makes rows of attempts that have none, and takes them or parks them."""
    rows = connection.exec_driver_sql(
        """
        WITH ready AS (
            SELECT r.*, x.workflow_id, x.version_id, x.awaited_by IS NOT NULL AS is_awaited,
                   %(in_order)s AND EXISTS (
                       SELECT FROM orchestrator.step_attempts older
                       WHERE older.workflow_id = x.workflow_id AND older.state = 'QUEUED' AND older.parked
                   ) AS waits
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                execution_id uuid, step_index int, iteration int, attempt int, begins boolean)
            JOIN orchestrator.workflow_executions x ON x.id = r.execution_id
            WHERE x.status = 'RUNNING' AND (r.iteration > 0 OR x.current_step = r.step_index)
        ), claimed AS (
            INSERT INTO orchestrator.step_attempts
                (execution_id, step_index, iteration, attempt, workflow_id, state, parked, due_at, sent_at, claims,
                 lease_owner, lease_until, started_at)
            SELECT execution_id, step_index, iteration, attempt, workflow_id,
                   CASE WHEN waits THEN 'QUEUED' ELSE 'RUNNING' END, waits, now(), now(),
                   CASE WHEN begins AND NOT waits THEN 1 ELSE 0 END, CASE WHEN NOT waits THEN %(owner)s END,
                   CASE WHEN NOT waits THEN now() + make_interval(secs => %(lease)s) END,
                   CASE WHEN begins AND NOT waits THEN now() END
            FROM ready
            ON CONFLICT DO NOTHING
            RETURNING execution_id, step_index, iteration, attempt, state
        )
        SELECT execution_id, step_index, iteration, attempt, ready.version_id, NULL::int, false, ready.is_awaited
        FROM claimed JOIN ready USING (execution_id, step_index, iteration, attempt)
        WHERE claimed.state = 'RUNNING'
        """,
        {"rows": _rows(wanted), **values},
        execution_options=PREPARED,
    )
    return [Claim(AttemptKey(*row[:4]), *row[4:]) for row in rows]


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
        execution_options=PREPARED,
    )


@dataclass(frozen=True, slots=True)
class ParkedAttempt(AttemptKey):
    """A parked attempt, its workflow, and the account."""

    workflow_id: UUID
    user_id: UUID


def find_parked(
    connection: Connection, *, full: Sequence[UUID], after: UUID | None, each: int, limit: int
) -> list[ParkedAttempt]:
    """Returns parked attempts: in turns, one of each workflow, then a second one, at most `each`, the oldest first;
    none of the `full` workflows. Workflows whose ids follow `after` come first, so that all have their turn though
    more wait than `limit`.

    Walks the index from workflow to workflow: the cost grows with the number of workflows that are returned, not with
    what waits behind them.
    """
    rows = connection.exec_driver_sql(
        """
        WITH RECURSIVE following AS (
            (SELECT workflow_id, 1 AS number FROM orchestrator.step_attempts
             WHERE state = 'QUEUED' AND parked AND workflow_id > %(after)s::uuid ORDER BY workflow_id LIMIT 1)
            UNION ALL
            SELECT (SELECT a.workflow_id FROM orchestrator.step_attempts a
                    WHERE a.state = 'QUEUED' AND a.parked AND a.workflow_id > f.workflow_id
                    ORDER BY a.workflow_id LIMIT 1), f.number + 1
            FROM following f WHERE f.workflow_id IS NOT NULL AND f.number < %(walked)s
        ), preceding AS (
            (SELECT workflow_id, 1 AS number FROM orchestrator.step_attempts
             WHERE state = 'QUEUED' AND parked AND workflow_id <= %(after)s::uuid ORDER BY workflow_id LIMIT 1)
            UNION ALL
            SELECT (SELECT a.workflow_id FROM orchestrator.step_attempts a
                    WHERE a.state = 'QUEUED' AND a.parked AND a.workflow_id > p.workflow_id
                        AND a.workflow_id <= %(after)s::uuid
                    ORDER BY a.workflow_id LIMIT 1), p.number + 1
            FROM preceding p WHERE p.workflow_id IS NOT NULL AND p.number < %(walked)s
        ), waiting AS (
            SELECT workflow_id, row_number() OVER (ORDER BY round, number) AS place
            FROM (SELECT 1 AS round, * FROM following UNION ALL SELECT 2, * FROM preceding) walked
            WHERE workflow_id <> ALL(%(full)s::uuid[])
            ORDER BY place LIMIT %(limit)s
        )
        SELECT a.execution_id, a.step_index, a.iteration, a.attempt, waiting.workflow_id, x.user_id
        FROM waiting CROSS JOIN LATERAL (
            SELECT *, row_number() OVER (ORDER BY due_at) AS turn FROM orchestrator.step_attempts parked
            WHERE parked.state = 'QUEUED' AND parked.parked AND parked.workflow_id = waiting.workflow_id
                AND parked.due_at <= now()
            ORDER BY due_at LIMIT %(each)s
        ) a JOIN orchestrator.workflow_executions x ON x.id = a.execution_id
        ORDER BY a.turn, waiting.place LIMIT %(limit)s
        """,
        {
            "full": [str(id_) for id_ in full],
            "after": str(after or UUID(int=0)),
            "walked": limit + len(full),
            "each": each,
            "limit": limit,
        },
    )
    return [ParkedAttempt(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class HeldAttempt(AttemptKey):
    """An attempt that an executor holds; `began`: when its call did, None while it waits there."""

    began: datetime | None


def extend_leases(connection: Connection, owner: str, held: Sequence[HeldAttempt], lease: float) -> set[AttemptKey]:
    """Extends the leases of these attempts, and notes which calls have begun; returns those that the owner still has. A
    claim whose COMMIT was not answered is nobody's: it has to run out."""
    extended = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET lease_until = now() + make_interval(secs => %(lease)s), lapsed_at = NULL,
            started_at = COALESCE(a.started_at, r.began),
            claims = a.claims + CASE WHEN a.started_at IS NULL AND r.began IS NOT NULL THEN 1 ELSE 0 END
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            execution_id uuid, step_index int, iteration int, attempt int, began timestamptz)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"rows": _rows(held), "owner": owner, "lease": lease},
        execution_options=PREPARED,
    )
    return {AttemptKey(*row) for row in extended}


def drop_cancelled(connection: Connection, owner: str, keys: Sequence[AttemptKey]) -> set[AttemptKey]:
    """Closes those of the owner's attempts whose executions were cancelled, and returns them: nobody waits for their
    results."""
    dropped = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET state = 'APPLIED', finished_at = now(), lease_until = NULL, lapsed_at = NULL
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int, attempt int)
        JOIN orchestrator.workflow_executions x ON x.id = r.execution_id AND x.status = 'CANCELLED'
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"rows": _rows(keys), "owner": owner},
        execution_options=PREPARED,
    )
    return {AttemptKey(*row) for row in dropped}


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


@dataclass(frozen=True, slots=True)
class HandedIn(AttemptResult):
    """The result of an attempt, and when its call began."""

    began: datetime | None = None


def begin(connection: Connection, owner: str, keys: Sequence[AttemptKey], lease: float) -> set[AttemptKey]:
    """Notes that calls begin, under a new lease of so many seconds; returns those that the owner still had."""
    begun = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET started_at = COALESCE(a.started_at, now()),
            claims = a.claims + CASE WHEN a.started_at IS NULL THEN 1 ELSE 0 END,
            lease_until = now() + make_interval(secs => %(lease)s), lapsed_at = NULL
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int, attempt int)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"rows": _rows(keys), "owner": owner, "lease": lease},
        execution_options=PREPARED,
    )
    return {AttemptKey(*row) for row in begun}


def hand_in(connection: Connection, owner: str, results: Sequence[HandedIn]) -> set[AttemptKey]:
    """Stores the results of attempts that the owner still has, and returns these: the others do not count."""
    ended = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET state = 'ENDED', succeeded = r.succeeded, output = r.output, output_order = r.output_order, error = r.error,
            finished_at = now(), lease_until = NULL, lapsed_at = NULL, started_at = COALESCE(a.started_at, r.began),
            claims = a.claims + CASE WHEN a.started_at IS NULL THEN 1 ELSE 0 END
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            execution_id uuid, step_index int, iteration int, attempt int, succeeded boolean, output jsonb,
            output_order jsonb, error jsonb, began timestamptz)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"rows": jsonio.dumps_for_database(results), "owner": owner},
        execution_options=PREPARED,
    )
    return {AttemptKey(*row) for row in ended}


@dataclass(frozen=True, slots=True)
class DeferredAttempt(AttemptKey):
    """An attempt that waits for its turn; `seconds`: how long."""

    seconds: float


def defer(connection: Connection, owner: str, attempts: Sequence[DeferredAttempt]) -> None:
    """Gives attempts up that have to wait: any executor may take them when their time has come, as if for the first
    time."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET state = 'QUEUED', parked = false, sent_at = NULL, due_at = now() + make_interval(secs => r.seconds),
            lease_owner = NULL, lease_until = NULL, lapsed_at = NULL,
            claims = a.claims - CASE WHEN a.started_at IS NULL THEN 0 ELSE 1 END, started_at = NULL
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            execution_id uuid, step_index int, iteration int, attempt int, seconds float)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        """,
        {"rows": _rows(attempts), "owner": owner},
    )


def give_back(connection: Connection, owner: str, keys: Sequence[AttemptKey]) -> None:
    """Parks attempts that a stopping executor has claimed but not begun: any other may take them at once."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a
        SET state = 'QUEUED', parked = true, lease_owner = NULL, lease_until = NULL, lapsed_at = NULL,
            claims = a.claims - CASE WHEN a.started_at IS NULL THEN 0 ELSE 1 END, started_at = NULL
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(execution_id uuid, step_index int, iteration int, attempt int)
        WHERE a.execution_id = r.execution_id AND a.step_index = r.step_index AND a.iteration = r.iteration
            AND a.attempt = r.attempt AND a.state = 'RUNNING' AND a.lease_owner = %(owner)s
        """,
        {"rows": _rows(keys), "owner": owner},
    )


def _rows(keys: Sequence[AttemptKey]) -> str:
    return jsonio.dumps(keys).decode()
