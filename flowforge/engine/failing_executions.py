"""Ending executions that can not go on by themselves: something about them makes the engine fail."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from flowforge import jsonio
from flowforge.engine.completion import EndedExecution
from flowforge.execution.state import Status

_LONGEST_REASON = 500


def reason_of(error: BaseException) -> str:
    """For people who look at the execution; the log has the whole of it."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = jsonio.writable(str(cause)).strip()
    return f"FlowForge cannot go on with it: {type(cause).__name__}: {text}"[:_LONGEST_REASON]


def fail(connection: Connection, execution_ids: Sequence[UUID], reason: str) -> list[EndedExecution]:
    """PENDING and RUNNING become FAILED, and nothing of them is owed any more; what is over stays as it is. Returns
    what has failed, for `endings.follow`. Reads nothing that the execution has made: that may be what is wrong."""
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
               v.definition->>'name', v.definition->'settings'->>'errorWorkflow'
        FROM failed f LEFT JOIN workflow.workflow_versions v ON v.id = f.version_id
        """,
        {"ids": [str(id_) for id_ in execution_ids], "error": jsonio.dumps_for_database(error)},
    )
    return [
        EndedExecution(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            Status.FAILED,
            workflow_name=row[7] or "",
            error=error,
            awaited_by=row[5],
            concurrency_key=row[6],
            error_workflow=_uuid(row[8]),
        )
        for row in rows
    ]


def _uuid(text: str | None) -> UUID | None:
    """A definition that was written long ago may name anything."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
