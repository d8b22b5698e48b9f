"""The orchestrator's queries. Each handles a whole batch in one statement; the caller owns the transaction.

Rows travel as one JSON array (`jsonb_to_recordset`): the statement's text, and so its cost to prepare, is the same for
one row and for five hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio


@dataclass(frozen=True, slots=True)
class EventContext:
    """What stands behind an accepted event. `version_id` is null for an adopted workflow that never ran here."""

    event_id: UUID
    execution_id: UUID | None
    handled: bool
    workflow_owner: UUID | None
    workflow_enabled: bool | None
    version_id: UUID | None


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """An execution locked for a decision."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    version_id: UUID | None
    status: str
    current_step: int
    step_outputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt whose result no execution has taken yet."""

    execution_id: UUID
    step_index: int
    iteration: int
    attempt: int
    state: str
    succeeded: bool | None
    output: dict[str, Any] | None
    error: dict[str, Any] | None


def event_contexts(connection: Connection, event_ids: Sequence[UUID]) -> dict[UUID, EventContext]:
    rows = connection.exec_driver_sql(
        """
        SELECT e.id, e.execution_id, e.handled_at IS NOT NULL, w.user_id, w.enabled, w.version_id
        FROM trigger_service.trigger_events e
        LEFT JOIN workflow.workflows w ON w.id = e.workflow_id AND w.user_id = e.user_id
        WHERE e.id = ANY(%(ids)s::uuid[])
        """,
        {"ids": _texts(event_ids)},
    )
    return {row[0]: EventContext(*row) for row in rows}


def begin_executions(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Creates executions with their first attempts and marks the events handled.

    A row: event_id, execution_id, workflow_id, user_id, trigger_id, trigger_type, version_id, status, current_step,
    first_step (null: none to run), error, dropped (why there is no execution, or null). Returns the events that got an
    execution now: another orchestrator may have been first, the unique event id decides.
    """
    created = connection.exec_driver_sql(
        """
        WITH rows AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                event_id uuid, execution_id uuid, workflow_id uuid, user_id uuid, trigger_id uuid, trigger_type text,
                version_id uuid, status text, current_step int, first_step int, error jsonb, dropped text)
        ), created AS (
            INSERT INTO orchestrator.workflow_executions AS x
                (id, workflow_id, user_id, status, current_step, trigger_payload, step_outputs, event_id, version_id,
                 trigger_id, trigger_type, error, created_at, updated_at, finished_at)
            SELECT r.execution_id, r.workflow_id, r.user_id, r.status, r.current_step, e.payload, '{}', r.event_id,
                   r.version_id, r.trigger_id, r.trigger_type, r.error, now(), now(),
                   CASE WHEN r.first_step IS NULL THEN now() END
            FROM rows r JOIN trigger_service.trigger_events e ON e.id = r.event_id
            WHERE r.dropped IS NULL
            ON CONFLICT (event_id) DO NOTHING
            RETURNING x.id, x.event_id
        ), attempts AS (
            INSERT INTO orchestrator.step_attempts
                (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at)
            SELECT c.id, r.first_step, 0, 1, r.workflow_id, 'QUEUED', now(), now()
            FROM created c JOIN rows r ON r.execution_id = c.id
            WHERE r.first_step IS NOT NULL
        ), handled AS (
            UPDATE trigger_service.trigger_events e
            SET handled_at = now(), dropped_because = r.dropped,
                execution_id = CASE WHEN r.dropped IS NULL THEN COALESCE(e.execution_id, r.execution_id) END
            FROM rows r WHERE e.id = r.event_id AND e.handled_at IS NULL
        )
        SELECT event_id FROM created
        """,
        {"rows": jsonio.dumps_for_database(rows)},
    )
    return {row[0] for row in created}


def note_triggered(connection: Connection, trigger_ids: Sequence[UUID]) -> None:
    connection.exec_driver_sql(
        """
        UPDATE trigger_service.trigger_registrations SET last_triggered_at = now(), last_success_at = now()
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": _texts(trigger_ids)},
    )


def lock_executions(connection: Connection, execution_ids: Sequence[UUID]) -> dict[UUID, ExecutionState]:
    """Locks in id order, so that two orchestrators cannot wait for each other."""
    rows = connection.exec_driver_sql(
        """
        SELECT id, workflow_id, user_id, event_id, version_id, status, current_step, COALESCE(step_outputs, '{}')
        FROM orchestrator.workflow_executions WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE
        """,
        {"ids": _texts(execution_ids)},
    )
    return {row[0]: ExecutionState(*row) for row in rows}


def open_attempts(connection: Connection, execution_ids: Sequence[UUID]) -> list[OpenAttempt]:
    rows = connection.exec_driver_sql(
        """
        SELECT execution_id, step_index, iteration, attempt, state, succeeded, output, error
        FROM orchestrator.step_attempts
        WHERE execution_id = ANY(%(ids)s::uuid[]) AND state <> 'APPLIED'
        """,
        {"ids": _texts(execution_ids)},
    )
    return [OpenAttempt(*row) for row in rows]


def apply_results(
    connection: Connection,
    moves: Sequence[dict[str, Any]],
    applied: Sequence[dict[str, Any]],
    starts: Sequence[dict[str, Any]],
) -> None:
    """Writes what the state machine decided.

    moves: id, status, current_step, output_key and output (null: none), error, finished.
    applied: the attempts whose result is taken or stale: execution_id, step_index, iteration, attempt, succeeded,
    error. starts: the attempts that follow: execution_id, step_index, iteration, attempt, workflow_id, due_at (null:
    now, and its message is sent right after the commit).
    """
    connection.exec_driver_sql(
        """
        WITH moved AS (
            UPDATE orchestrator.workflow_executions x
            SET status = m.status, current_step = m.current_step, updated_at = now(),
                step_outputs = CASE WHEN m.output_key IS NULL THEN x.step_outputs
                    ELSE COALESCE(x.step_outputs, '{}') || jsonb_build_object(m.output_key, m.output) END,
                error = COALESCE(m.error, x.error),
                finished_at = CASE WHEN m.finished THEN now() ELSE x.finished_at END
            FROM jsonb_to_recordset(%(moves)s::jsonb) AS m(
                id uuid, status text, current_step int, output_key text, output jsonb, error jsonb, finished boolean)
            WHERE x.id = m.id
        ), applied AS (
            UPDATE orchestrator.step_attempts a
            SET state = 'APPLIED', succeeded = p.succeeded, error = p.error, output = NULL, lease_until = NULL,
                parked = false, finished_at = COALESCE(a.finished_at, now())
            FROM jsonb_to_recordset(%(applied)s::jsonb) AS p(
                execution_id uuid, step_index int, iteration int, attempt int, succeeded boolean, error jsonb)
            WHERE a.execution_id = p.execution_id AND a.step_index = p.step_index
                AND a.iteration = p.iteration AND a.attempt = p.attempt
        )
        INSERT INTO orchestrator.step_attempts
            (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at)
        SELECT s.execution_id, s.step_index, s.iteration, s.attempt, s.workflow_id, 'QUEUED',
               COALESCE(s.due_at, now()), CASE WHEN s.due_at IS NULL THEN now() END
        FROM jsonb_to_recordset(%(starts)s::jsonb) AS s(
            execution_id uuid, step_index int, iteration int, attempt int, workflow_id uuid, due_at timestamptz)
        ON CONFLICT DO NOTHING
        """,
        {
            "moves": jsonio.dumps_for_database(moves),
            "applied": jsonio.dumps_for_database(applied),
            "starts": jsonio.dumps_for_database(starts),
        },
    )


def trigger_payloads(connection: Connection, execution_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = connection.exec_driver_sql(
        """
        SELECT id, COALESCE(trigger_payload, '{}') FROM orchestrator.workflow_executions
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": _texts(execution_ids)},
    )
    return {row[0]: row[1] for row in rows}


def take_due_retries(connection: Connection, limit: int) -> list[tuple[UUID, int, int, int]]:
    """Retries whose time has come and whose message was not sent yet, marked as sent: (execution, step, iteration,
    attempt)."""
    rows = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a SET sent_at = now()
        FROM (
            SELECT execution_id, step_index, iteration, attempt FROM orchestrator.step_attempts
            WHERE state = 'QUEUED' AND sent_at IS NULL AND due_at <= now()
            ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) d
        WHERE a.execution_id = d.execution_id AND a.step_index = d.step_index
            AND a.iteration = d.iteration AND a.attempt = d.attempt
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"limit": limit},
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def next_retry_at(connection: Connection) -> datetime | None:
    """The nearest time at which `take_due_retries` finds something."""
    moment: datetime | None = connection.exec_driver_sql(
        "SELECT min(due_at) FROM orchestrator.step_attempts WHERE state = 'QUEUED' AND sent_at IS NULL"
    ).scalar()
    return moment


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]
