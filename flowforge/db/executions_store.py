"""The orchestrator's queries. Each handles a whole batch in one statement; the caller owns the transaction.

Rows travel as one JSON array (`jsonb_to_recordset`): the statement's text, and so its cost to prepare, is the same for
one row and for five hundred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.limits_store import LACKS_PLACE, LACKS_TURN


@dataclass(frozen=True, slots=True)
class EventContext:
    """What stands behind an accepted event. `version_id` is null for an adopted workflow that never ran here."""

    event_id: UUID
    execution_id: UUID | None
    handled: bool
    workflow_owner: UUID | None
    workflow_enabled: bool | None
    version_id: UUID | None
    payload: dict[str, Any] | None
    """Only of those that were asked for."""
    awaited_by: dict[str, Any] | None
    replay: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """An execution locked for a decision. While it is `in_block`, payload and outputs are not loaded: they may be
    large, and the frames of the block need nothing of them."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    version_id: UUID | None
    status: str
    current_step: int
    in_block: bool
    next_frame: int
    trigger_type: str | None
    awaited_by: dict[str, Any] | None
    concurrency_key: str | None
    trigger_payload: dict[str, Any] | None
    step_outputs: dict[str, Any] | None


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


def event_contexts(
    connection: Connection, event_ids: Sequence[UUID], *, with_payload: Sequence[UUID] = ()
) -> dict[UUID, EventContext]:
    rows = connection.exec_driver_sql(
        """
        SELECT e.id, e.execution_id, e.handled_at IS NOT NULL, w.user_id, w.enabled, w.version_id,
               CASE WHEN e.id = ANY(%(with_payload)s::uuid[]) THEN e.payload END, e.awaited_by, e.replay
        FROM trigger_service.trigger_events e
        LEFT JOIN workflow.workflows w ON w.id = e.workflow_id AND w.user_id = e.user_id
        WHERE e.id = ANY(%(ids)s::uuid[])
        """,
        {"ids": _texts(event_ids), "with_payload": _texts(with_payload)},
    )
    return {row[0]: EventContext(*row) for row in rows}


def begin_executions(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Creates executions with their first attempts and marks the events handled.

    A row: event_id, execution_id, workflow_id, user_id, trigger_id, trigger_type, version_id, awaited_by, status,
    current_step, outputs, in_block, next_frame, error, result, deadline, begin_at, concurrency_key, replay_of,
    attempts (a list of rows as `apply` takes them), dropped (why there is no execution, or null). Returns the events
    that got an execution now: another orchestrator may have been first, the unique event id decides.
    """
    created = connection.exec_driver_sql(
        """
        WITH rows AS MATERIALIZED (
            SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
                event_id uuid, execution_id uuid, workflow_id uuid, user_id uuid, trigger_id uuid, trigger_type text,
                version_id uuid, awaited_by jsonb, status text, current_step int, outputs jsonb, in_block boolean,
                next_frame int, error jsonb, result jsonb, deadline timestamptz, begin_at timestamptz,
                concurrency_key text, replay_of uuid, finished boolean, attempts jsonb, dropped text)
        ), created AS (
            INSERT INTO orchestrator.workflow_executions AS x
                (id, workflow_id, user_id, status, current_step, trigger_payload, step_outputs, event_id, version_id,
                 trigger_id, trigger_type, error, created_at, updated_at, finished_at, in_block, next_frame, result,
                 awaited_by, parent_execution_id, deadline, begin_at, concurrency_key, replay_of)
            SELECT r.execution_id, r.workflow_id, r.user_id, r.status, r.current_step, e.payload, r.outputs, r.event_id,
                   r.version_id, r.trigger_id, r.trigger_type, r.error, now(), now(),
                   CASE WHEN r.finished THEN now() END, r.in_block, r.next_frame, r.result,
                   r.awaited_by, (r.awaited_by->>'executionId')::uuid, r.deadline, r.begin_at, r.concurrency_key,
                   r.replay_of
            FROM rows r JOIN trigger_service.trigger_events e ON e.id = r.event_id
            WHERE r.dropped IS NULL
            ON CONFLICT (event_id) DO NOTHING
            RETURNING x.id, x.event_id
        ), attempts AS (
            INSERT INTO orchestrator.step_attempts
                (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at, started_at,
                 waiting)
            SELECT c.id, a.step_index, a.iteration, a.attempt, r.workflow_id, a.state, COALESCE(a.due_at, now()),
                   CASE WHEN a.due_at IS NULL THEN now() END, CASE WHEN a.state = 'WAITING' THEN now() END, a.waiting
            FROM created c JOIN rows r ON r.execution_id = c.id
            CROSS JOIN LATERAL jsonb_to_recordset(r.attempts) AS a(
                step_index int, iteration int, attempt int, state text, due_at timestamptz, waiting jsonb)
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


_STATE = """
    x.id, x.workflow_id, x.user_id, x.event_id, x.version_id, x.status, x.current_step, COALESCE(x.in_block, false),
    COALESCE(x.next_frame, 1), x.trigger_type, x.awaited_by, x.concurrency_key,
    CASE WHEN x.in_block IS NOT TRUE THEN COALESCE(x.trigger_payload, '{}') END,
    CASE WHEN x.in_block IS NOT TRUE THEN COALESCE(x.step_outputs, '{}') END
"""


def lock_executions(connection: Connection, execution_ids: Sequence[UUID]) -> dict[UUID, ExecutionState]:
    """Locks in id order, so that two orchestrators cannot wait for each other."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT {_STATE} FROM orchestrator.workflow_executions x
        WHERE x.id = ANY(%(ids)s::uuid[]) ORDER BY x.id FOR UPDATE
        """,  # noqa: S608  (names of columns)
        {"ids": _texts(execution_ids)},
    )
    return {row[0]: ExecutionState(*row) for row in rows}


def lock_overdue(connection: Connection, limit: int, only: UUID | None = None) -> list[ExecutionState]:
    """Executions whose time limit is over; those that another orchestrator has in hand are left to it."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT {_STATE} FROM orchestrator.workflow_executions x
        WHERE x.deadline <= now() AND x.finished_at IS NULL AND (%(only)s::uuid IS NULL OR x.id = %(only)s::uuid)
        ORDER BY x.deadline LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        """,  # noqa: S608
        {"limit": limit, "only": only and str(only)},
    )
    return [ExecutionState(*row) for row in rows]


def lock_placeless(connection: Connection, how_many: Mapping[str, int]) -> list[ExecutionState]:
    """So many executions of each concurrency key: those that have waited longest for a place, the oldest first."""
    return _lock_longest_waiting(connection, "concurrency_key", "text", LACKS_PLACE, how_many)


def lock_turnless(connection: Connection, how_many: Mapping[UUID, int]) -> list[ExecutionState]:
    """So many executions of each workflow: those that have waited longest for a turn, the oldest first."""
    return _lock_longest_waiting(
        connection, "workflow_id", "uuid", LACKS_TURN, {str(id_): count for id_, count in how_many.items()}
    )


def _lock_longest_waiting(
    connection: Connection, column: str, type_: str, lacks: str, how_many: Mapping[str, int]
) -> list[ExecutionState]:
    rows = connection.exec_driver_sql(
        f"""
        SELECT {_STATE} FROM unnest(%(keys)s::{type_}[], %(counts)s::int[]) AS k(key, count)
        CROSS JOIN LATERAL (
            SELECT * FROM orchestrator.workflow_executions x
            WHERE x.{column} = k.key AND {lacks}
            ORDER BY x.created_at, x.id LIMIT k.count FOR UPDATE SKIP LOCKED) x
        ORDER BY x.created_at, x.id
        """,  # noqa: S608  (names and conditions of ours)
        {"keys": list(how_many), "counts": list(how_many.values())},
    )
    return [ExecutionState(*row) for row in rows]


def root_data(
    connection: Connection, execution_ids: Sequence[UUID]
) -> dict[UUID, tuple[dict[str, Any], dict[str, Any]]]:
    """Payload and outputs, as the rows have them."""
    rows = connection.exec_driver_sql(
        """
        SELECT id, COALESCE(trigger_payload, '{}'), COALESCE(step_outputs, '{}')
        FROM orchestrator.workflow_executions WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": _texts(execution_ids)},
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def open_attempts(connection: Connection, steps: Sequence[tuple[UUID, int, int]]) -> list[OpenAttempt]:
    """Of those steps (execution, step index, iteration): the attempts whose result is not taken yet."""
    rows = connection.exec_driver_sql(
        """
        SELECT a.execution_id, a.step_index, a.iteration, a.attempt, a.state, a.succeeded, a.output, a.error
        FROM (SELECT DISTINCT * FROM jsonb_to_recordset(%(steps)s::jsonb) AS s(
                execution_id uuid, step_index int, iteration int)) s
        JOIN orchestrator.step_attempts a USING (execution_id, step_index, iteration)
        WHERE a.state <> 'APPLIED'
        """,
        {"steps": _steps(steps)},
    )
    return [OpenAttempt(*row) for row in rows]


def apply(
    connection: Connection,
    moves: Sequence[dict[str, Any]],
    applied: Sequence[dict[str, Any]],
    attempts: Sequence[dict[str, Any]],
) -> None:
    """Writes what the state machine decided.

    moves: id, status, current_step, outputs (those that are new), in_block, next_frame, error, result, deadline (null:
    as it is), finished.
    applied: the attempts whose result is taken or stale: execution_id, step_index, iteration, attempt, succeeded,
    error. attempts: those that follow: execution_id, step_index, iteration, attempt, workflow_id, state, due_at (null:
    now, and its message is sent right after the commit), waiting.
    """
    connection.exec_driver_sql(
        """
        WITH moved AS (
            UPDATE orchestrator.workflow_executions x
            SET status = m.status, current_step = m.current_step, updated_at = now(),
                step_outputs = CASE WHEN m.outputs = '{}' THEN x.step_outputs
                    ELSE COALESCE(x.step_outputs, '{}') || m.outputs END,
                in_block = m.in_block, next_frame = m.next_frame,
                error = COALESCE(m.error, x.error), result = COALESCE(m.result, x.result),
                begin_at = CASE WHEN m.status = 'PENDING' THEN x.begin_at END,
                deadline = COALESCE(m.deadline, x.deadline),
                finished_at = CASE WHEN m.finished THEN now() ELSE x.finished_at END
            FROM jsonb_to_recordset(%(moves)s::jsonb) AS m(
                id uuid, status text, current_step int, outputs jsonb, in_block boolean, next_frame int, error jsonb,
                result jsonb, deadline timestamptz, finished boolean)
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
            (execution_id, step_index, iteration, attempt, workflow_id, state, due_at, sent_at, started_at, waiting)
        SELECT s.execution_id, s.step_index, s.iteration, s.attempt, s.workflow_id, s.state,
               COALESCE(s.due_at, now()), CASE WHEN s.due_at IS NULL THEN now() END,
               CASE WHEN s.state = 'WAITING' THEN now() END, s.waiting
        FROM jsonb_to_recordset(%(attempts)s::jsonb) AS s(
            execution_id uuid, step_index int, iteration int, attempt int, workflow_id uuid, state text,
            due_at timestamptz, waiting jsonb)
        ON CONFLICT DO NOTHING
        """,
        {
            "moves": jsonio.dumps_for_database(moves),
            "applied": jsonio.dumps_for_database(applied),
            "attempts": jsonio.dumps_for_database(attempts),
        },
    )


def drop_unbegun(connection: Connection, execution_ids: Sequence[UUID]) -> None:
    """The execution is over: what was queued or waiting in it is not needed any more."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts SET state = 'APPLIED', parked = false, finished_at = now()
        WHERE execution_id = ANY(%(ids)s::uuid[]) AND state IN ('QUEUED', 'WAITING')
        """,
        {"ids": _texts(execution_ids)},
    )


def take_due_retries(connection: Connection, limit: int, only: UUID | None = None) -> list[tuple[UUID, int, int, int]]:
    """Retries whose time has come and whose message was not sent yet, marked as sent: (execution, step, iteration,
    attempt)."""
    rows = connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a SET sent_at = now()
        FROM (
            SELECT execution_id, step_index, iteration, attempt FROM orchestrator.step_attempts
            WHERE state = 'QUEUED' AND sent_at IS NULL AND due_at <= now()
                AND (%(only)s::uuid IS NULL OR execution_id = %(only)s::uuid)
            ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) d
        WHERE a.execution_id = d.execution_id AND a.step_index = d.step_index
            AND a.iteration = d.iteration AND a.attempt = d.attempt
        RETURNING a.execution_id, a.step_index, a.iteration, a.attempt
        """,
        {"limit": limit, "only": only and str(only)},
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def due_executions(connection: Connection, limit: int) -> list[UUID]:
    """Every execution to which time brings something now: a retry, the end of a wait, its time limit. At
    most `limit` of each kind."""
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


def next_retry_at(connection: Connection) -> datetime | None:
    """The nearest time at which `take_due_retries` finds something."""
    moment: datetime | None = connection.exec_driver_sql(
        "SELECT min(due_at) FROM orchestrator.step_attempts WHERE state = 'QUEUED' AND sent_at IS NULL"
    ).scalar()
    return moment


def _steps(steps: Sequence[tuple[UUID, int, int]]) -> str:
    return jsonio.dumps(
        [{"execution_id": step[0], "step_index": step[1], "iteration": step[2]} for step in steps]
    ).decode()


def _texts(ids: Sequence[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]
