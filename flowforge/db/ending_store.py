"""Ending executions from outside: cancelled by a person, or failed because the engine cannot go on with them.

Each handles a whole batch in a statement or two; the caller owns the transaction. What is over stays as it is. The
returned executions are for `flowforge.engine.completion`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.execution.state import Status


@dataclass(frozen=True, slots=True)
class EndedExecution:
    """An execution that has just reached a terminal state, with what completing it needs to know."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    trigger_type: str | None
    awaited_by: Mapping[str, Any] | None
    concurrency_key: str | None
    status: Status
    workflow_name: str = ""
    error_workflow: UUID | None = None
    error: Mapping[str, Any] | None = None
    result: Any = None


_THESE = "SELECT unnest(%(ids)s::uuid[]) AS id"
_CALLED_BY_THESE = "SELECT id FROM orchestrator.workflow_executions WHERE parent_execution_id = ANY(%(ids)s::uuid[])"
_AND_CALLED = (
    "UNION SELECT x.id FROM orchestrator.workflow_executions x JOIN chosen ON x.parent_execution_id = chosen.id"
)
_WITH_CALLED, _CALLED = f"{_THESE} {_AND_CALLED}", f"{_CALLED_BY_THESE} {_AND_CALLED}"


def cancel(connection: Connection, execution_ids: Iterable[UUID]) -> list[EndedExecution]:
    """Cancels executions that are PENDING or RUNNING, with all that they have called and await."""
    return _cancel(connection, _lock(connection, _WITH_CALLED, execution_ids))


def cancel_called(connection: Connection, execution_ids: Iterable[UUID]) -> list[EndedExecution]:
    """Cancels only what these executions have called and await, not the executions themselves."""
    return _cancel(connection, _lock(connection, _CALLED, execution_ids))


def _lock(connection: Connection, chosen: str, execution_ids: Iterable[UUID]) -> list[UUID]:
    """Locks those that are not over. A statement of its own: whoever held the lock before may have made attempts, which
    a statement that waited for it does not see."""
    rows = connection.exec_driver_sql(
        f"""
        WITH RECURSIVE chosen AS ({chosen})
        SELECT x.id FROM orchestrator.workflow_executions x
        WHERE x.id IN (SELECT id FROM chosen) AND x.status IN ('PENDING', 'RUNNING') ORDER BY x.id FOR UPDATE OF x
        """,  # noqa: S608  (one of the three above)
        {"ids": _texts(execution_ids)},
    )
    return [row[0] for row in rows]


def _cancel(connection: Connection, locked: Sequence[UUID]) -> list[EndedExecution]:
    if not locked:
        return []
    rows = connection.exec_driver_sql(
        """
        WITH cancelled AS (
            UPDATE orchestrator.workflow_executions x
            SET status = 'CANCELLED', updated_at = now(), finished_at = now(), begin_at = NULL
            WHERE x.id = ANY(%(ids)s::uuid[])
            RETURNING x.id, x.workflow_id, x.user_id, x.event_id, x.trigger_type, x.awaited_by, x.concurrency_key
        ), unqueued AS (
            UPDATE orchestrator.step_attempts a SET state = 'APPLIED', parked = false, finished_at = now()
            FROM cancelled WHERE a.execution_id = cancelled.id AND a.state IN ('QUEUED', 'WAITING')
        )
        SELECT id, workflow_id, user_id, event_id, trigger_type, awaited_by, concurrency_key FROM cancelled
        """,
        {"ids": _texts(locked)},
    )
    return [EndedExecution(*(*row, Status.CANCELLED)) for row in rows]


def fail(connection: Connection, execution_ids: Iterable[UUID], reason: str) -> list[EndedExecution]:
    """Fails executions that are PENDING or RUNNING; nothing of them is redelivered afterwards.

    Reads nothing that the execution has made: that may be what is wrong.
    """
    locked = _lock(connection, _THESE, execution_ids)
    if not locked:
        return []
    error = {"message": jsonio.writable(reason)}
    rows = connection.exec_driver_sql(
        """
        WITH failed AS (
            UPDATE orchestrator.workflow_executions x
            SET status = 'FAILED', error = %(error)s, updated_at = now(), finished_at = now(), begin_at = NULL
            WHERE x.id = ANY(%(ids)s::uuid[])
            RETURNING x.id, x.workflow_id, x.user_id, x.event_id, x.trigger_type, x.awaited_by, x.concurrency_key,
                x.version_id
        ), dropped AS (
            UPDATE orchestrator.step_attempts a
            SET state = 'APPLIED', parked = false, output = NULL, finished_at = COALESCE(a.finished_at, now())
            FROM failed WHERE a.execution_id = failed.id AND a.state IN ('QUEUED', 'WAITING', 'ENDED')
        )
        SELECT f.id, f.workflow_id, f.user_id, f.event_id, f.trigger_type, f.awaited_by, f.concurrency_key,
               COALESCE(v.definition->>'name', ''), v.definition->'settings'->>'errorWorkflow'
        FROM failed f LEFT JOIN workflow.workflow_versions v ON v.id = f.version_id
        """,
        {"ids": _texts(locked), "error": jsonio.dumps_for_database(error)},
    )
    return [
        EndedExecution(*(*row, Status.FAILED, name, _uuid(error_workflow), error))
        for *row, name, error_workflow in rows
    ]


def drop_pending_attempts(connection: Connection, execution_ids: Iterable[UUID]) -> None:
    """Closes what is still queued or waiting in executions that are over."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts SET state = 'APPLIED', parked = false, finished_at = now()
        WHERE execution_id = ANY(%(ids)s::uuid[]) AND state IN ('QUEUED', 'WAITING')
        """,
        {"ids": _texts(execution_ids)},
    )


def drop_leftover_attempts(connection: Connection, execution_ids: Iterable[UUID]) -> None:
    """Closes what is queued in those of these executions that are over. An executor had it while they ended, and gave
    it back or died."""
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.step_attempts a SET state = 'APPLIED', parked = false, finished_at = now()
        FROM orchestrator.workflow_executions x
        WHERE x.id = a.execution_id AND x.finished_at IS NOT NULL AND a.execution_id = ANY(%(ids)s::uuid[])
            AND a.state = 'QUEUED'
        """,
        {"ids": _texts(execution_ids)},
    )


def _uuid(text: str | None) -> UUID | None:
    """A definition that was written long ago may name anything."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]
