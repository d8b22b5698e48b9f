"""Rows that are not yet acted upon: events, starts and results whose messages were lost, and lost leases.

Every function takes `grace`, the seconds that a message may be on its way before it counts as lost, and handles
at most `limit` rows in one statement; the caller owns the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.sizes_store import ATTEMPT_SIZE, EVENT_SIZE, MOST_BYTES
from flowforge.field_order import restore_row
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class UnhandledEvent:
    """An accepted event without an execution; `payload` is None where it is large."""

    event_id: UUID
    trigger_id: UUID | None
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
    created_at: datetime
    metadata: JsonObject
    payload: JsonObject | None
    size: int
    """Estimated bytes of the payload, as JSON."""


@dataclass(frozen=True, slots=True)
class UntakenResult(AttemptKey):
    """An attempt that has ended, and whose execution has not taken its result."""

    workflow_id: UUID
    user_id: UUID
    succeeded: bool
    message: str | None
    """The reason why it failed."""
    size: int
    """Estimated bytes, as JSON, of its output and its execution's data."""


def note_lapsed_leases(connection: Connection, *, limit: int) -> None:
    """Notes that leases have run out: their owners may have slept, and extend them for a moment more."""
    connection.exec_driver_sql(
        """
        WITH lapsed AS (
            SELECT execution_id, step_index, iteration, attempt FROM orchestrator.step_attempts
            WHERE state = 'RUNNING' AND lease_until < now() AND lapsed_at IS NULL
            ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE orchestrator.step_attempts a SET lapsed_at = now() FROM lapsed l
        WHERE a.execution_id = l.execution_id AND a.step_index = l.step_index AND a.iteration = l.iteration
            AND a.attempt = l.attempt
        """,
        {"limit": limit},
    )


def requeue_lost_leases(connection: Connection, *, most_claims: int, notice: float, grace: float, limit: int) -> int:
    """Queues the attempts of dead executors again, under the same number. Those whose call had begun have failed
    instead where their step says so, or where an executor has died in it `most_claims` times. A lease is lost when
    `notice` seconds have passed since it was seen to have run out. Returns how many were lost."""
    rows = connection.exec_driver_sql(
        """
        WITH lost AS (
            SELECT execution_id, step_index, iteration, attempt,
                   started_at IS NOT NULL AND (fails_after_crash IS TRUE OR claims >= %(most)s) AS has_failed
            FROM orchestrator.step_attempts
            WHERE state = 'RUNNING' AND lease_until < now() AND lapsed_at <= now() - make_interval(secs => %(notice)s)
            ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE orchestrator.step_attempts a
        SET state = CASE WHEN l.has_failed THEN 'ENDED' ELSE 'QUEUED' END, parked = NOT l.has_failed,
            lease_owner = NULL, lease_until = NULL, lapsed_at = NULL, leases_lost = COALESCE(a.leases_lost, 0) + 1,
            started_at = CASE WHEN l.has_failed THEN a.started_at END,
            succeeded = CASE WHEN l.has_failed THEN false END,
            finished_at = CASE WHEN l.has_failed THEN now() - make_interval(secs => %(grace)s) END,
            error = CASE WHEN l.has_failed THEN jsonb_build_object(
                'message', CASE WHEN a.claims >= %(most)s
                    THEN format('the executor died %%s times while it ran this step', a.claims)
                    ELSE 'the executor died while it ran this step: nobody knows whether its call was done' END,
                'permanent', true, 'final', true) END
        FROM lost l
        WHERE a.execution_id = l.execution_id AND a.step_index = l.step_index AND a.iteration = l.iteration
            AND a.attempt = l.attempt
        RETURNING a.execution_id
        """,
        {"limit": limit, "most": most_claims, "notice": notice, "grace": grace},
    )
    return len(rows.all())


def unhandled_events(connection: Connection, *, inline_limit: int, grace: float, limit: int) -> list[UnhandledEvent]:
    """Returns events that no orchestrator has handled, the oldest first. Payloads above `inline_limit` bytes are left
    out, and all that come after MOST_BYTES."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT id, trigger_id, workflow_id, user_id, trigger_type, created_at, metadata,
               CASE WHEN size <= %(inline)s AND sum(size) OVER (ORDER BY created_at, id) <= %(most)s THEN payload END,
               size, payload_order
        FROM (
            SELECT *, {EVENT_SIZE} AS size FROM trigger_service.trigger_events e
            WHERE handled_at IS NULL AND created_at < now() - make_interval(secs => %(grace)s)
            ORDER BY created_at LIMIT %(limit)s
        ) unhandled ORDER BY created_at, id
        """,  # noqa: S608  (names of columns)
        {"inline": inline_limit, "most": MOST_BYTES, "grace": grace, "limit": limit},
    )
    return [UnhandledEvent(*restore_row(row, 7)) for row in rows]


def take_unclaimed_starts(connection: Connection, *, grace: float, limit: int) -> list[AttemptKey]:
    """Marks attempts as sent anew that were sent long ago, are still queued and not parked. It spaces redeliveries."""
    rows = connection.exec_driver_sql(
        """
        WITH lost AS (
            SELECT execution_id, step_index, iteration, attempt FROM orchestrator.step_attempts
            WHERE state = 'QUEUED' AND NOT parked AND sent_at < now() - make_interval(secs => %(grace)s)
            ORDER BY sent_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE orchestrator.step_attempts a SET sent_at = now() FROM lost l
        WHERE a.execution_id = l.execution_id AND a.step_index = l.step_index AND a.iteration = l.iteration
            AND a.attempt = l.attempt
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"grace": grace, "limit": limit},
    )
    return [AttemptKey(*row) for row in rows]


def untaken_results(connection: Connection, *, grace: float, limit: int) -> list[UntakenResult]:
    """Returns attempts that ended some time ago and whose result is still in their row, the oldest first."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT a.execution_id, a.step_index, a.iteration, a.attempt, x.workflow_id, x.user_id, a.succeeded,
               a.error->>'message', {ATTEMPT_SIZE}
        FROM orchestrator.step_attempts a JOIN orchestrator.workflow_executions x ON x.id = a.execution_id
        WHERE a.state = 'ENDED' AND a.finished_at <= now() - make_interval(secs => %(grace)s)
        ORDER BY a.finished_at LIMIT %(limit)s
        """,  # noqa: S608  (names of columns)
        {"grace": grace, "limit": limit},
    )
    return [UntakenResult(*row) for row in rows]
