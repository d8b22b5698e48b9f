"""Cancelling executions, with those they have called."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from flowforge.engine.completion import EndedExecution
from flowforge.execution.state import Status


def cancel(connection: Connection, execution_ids: Sequence[UUID]) -> list[EndedExecution]:
    """PENDING and RUNNING become CANCELLED; what is over stays as it is. Returns what was cancelled, for
    `endings.follow`."""
    return _cancel(connection, "SELECT unnest(%(ids)s::uuid[]) AS id", execution_ids)


def cancel_called(connection: Connection, execution_ids: Sequence[UUID]) -> list[EndedExecution]:
    """The same for those only that these have called, and await."""
    called = "SELECT id FROM orchestrator.workflow_executions WHERE parent_execution_id = ANY(%(ids)s::uuid[])"
    return _cancel(connection, called, execution_ids)


def _cancel(connection: Connection, roots: str, execution_ids: Sequence[UUID]) -> list[EndedExecution]:
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
        """,  # noqa: S608  one of the two above
        {"ids": [str(id_) for id_ in execution_ids]},
    )
    return [
        EndedExecution(
            row[0], row[1], row[2], row[3], row[4], Status.CANCELLED, awaited_by=row[5], concurrency_key=row[6]
        )
        for row in rows
    ]
