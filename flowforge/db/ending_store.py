"""Ending executions from outside: cancelled by a person, or failed because the engine cannot go on with them.

Each handles a whole batch in one statement; the caller owns the transaction. What is over stays as it is. The
returned executions are for `flowforge.engine.completion`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def cancel(connection: Connection, execution_ids: Iterable[UUID]) -> list[EndedExecution]:
    """Cancels executions that are PENDING or RUNNING, with all that they have called and await."""
    return _cancel(connection, "SELECT unnest(%(ids)s::uuid[]) AS id", execution_ids)


def cancel_called(connection: Connection, execution_ids: Iterable[UUID]) -> list[EndedExecution]:
    """Cancels only what these executions have called and await, not the executions themselves."""
    called = "SELECT id FROM orchestrator.workflow_executions WHERE parent_execution_id = ANY(%(ids)s::uuid[])"
    return _cancel(connection, called, execution_ids)


def _cancel(connection: Connection, roots: str, execution_ids: Iterable[UUID]) -> list[EndedExecution]:
    rows = connection.exec_driver_sql(
        f"""
        WITH RECURSIVE tree AS (
            {roots}
            UNION
            SELECT x.id FROM orchestrator.workflow_executions x JOIN tree ON x.parent_execution_id = tree.id
        ), cancelled AS (
            UPDATE orchestrator.workflow_executions x
            SET status = 'CANCELLED', updated_at = now(), finished_at = now(), begin_at = NULL
            FROM tree WHERE x.id = tree.id AND x.status IN ('PENDING', 'RUNNING')
            RETURNING x.id, x.workflow_id, x.user_id, x.event_id, x.trigger_type, x.awaited_by, x.concurrency_key
        ), unqueued AS (
            UPDATE orchestrator.step_attempts a SET state = 'APPLIED', parked = false, finished_at = now()
            FROM cancelled WHERE a.execution_id = cancelled.id AND a.state IN ('QUEUED', 'WAITING')
        )
        SELECT id, workflow_id, user_id, event_id, trigger_type, awaited_by, concurrency_key FROM cancelled
        """,  # noqa: S608  (one of the two above)
        {"ids": _texts(execution_ids)},
    )
    return [EndedExecution(*(*row, Status.CANCELLED)) for row in rows]


def fail(connection: Connection, execution_ids: Iterable[UUID], reason: str) -> list[EndedExecution]:
    """Fails executions that are PENDING or RUNNING; nothing of them is redelivered afterwards.

    Reads nothing that the execution has made: that may be what is wrong.
    """
    error = {"message": jsonio.writable(reason)}
    rows = connection.exec_driver_sql(
        """
        WITH failed AS (
            UPDATE orchestrator.workflow_executions x
            SET status = 'FAILED', error = %(error)s, updated_at = now(), finished_at = now(), begin_at = NULL
            WHERE x.id = ANY(%(ids)s::uuid[]) AND x.status IN ('PENDING', 'RUNNING')
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
        {"ids": _texts(execution_ids), "error": jsonio.dumps_for_database(error)},
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


def _uuid(text: str | None) -> UUID | None:
    """A definition that was written long ago may name anything."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(id_) for id_ in ids]
