"""Rate permits: those of a workflow that were taken, and which workflows have executions that wait for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db.held_executions_store import LACKS_PERMIT
from flowforge.db.prepared import PREPARED

_MOST_LATE = 1_000


@dataclass(frozen=True, slots=True)
class Permits:
    """The permits of one workflow's rate limit. Times are seconds since 1970."""

    begun: Sequence[tuple[float, int]]
    """(when, how many) of the permits that were taken last."""
    awaited: bool
    next_version: UUID | None
    """The version of the oldest execution that waits for a permit; None where none does."""
    transaction_began: float
    now: float
    """The time at which this was read: later, where it had to wait for the lock."""
    late: Sequence[tuple[float, float | None]]
    """(when its execution began, when it started itself) of the first steps that started late, or have yet to."""


@dataclass(frozen=True, slots=True)
class PermitsUpdate:
    """The permits of a workflow as they are remembered."""

    workflow_id: UUID
    begun: Sequence[tuple[float, int]]
    taken_until: datetime
    """The time at which the next permit is free."""
    awaited: bool
    """Whether executions wait for a permit."""


def load_permits(connection: Connection, workflow_ids: Sequence[UUID]) -> dict[UUID, Permits]:
    """Returns permits by workflow. Exact as long as the caller holds the locks of the workflows."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT w.id, COALESCE(t.begun, '[]'), COALESCE(t.awaited, false),
            (SELECT x.version_id FROM orchestrator.workflow_executions x
             WHERE x.workflow_id = w.id AND {LACKS_PERMIT} ORDER BY x.created_at, x.id LIMIT 1),
            extract(epoch FROM now())::float8, extract(epoch FROM clock_timestamp())::float8,
            (SELECT COALESCE(jsonb_agg(jsonb_build_array(
                    extract(epoch FROM l.due_at)::float8, extract(epoch FROM l.started_at)::float8)), '[]')
             FROM (SELECT a.due_at, a.started_at FROM orchestrator.step_attempts a
                   WHERE a.workflow_id = w.id
                     AND a.rate_limited AND (a.started_at IS NULL OR a.started_at - a.due_at > interval '0.1 seconds')
                     AND (a.started_at > now() - interval '1 day'
                          OR a.started_at IS NULL AND a.state IN ('QUEUED', 'RUNNING'))
                   ORDER BY a.started_at DESC LIMIT {_MOST_LATE}) l)
        FROM unnest(%(ids)s::uuid[]) AS w(id) LEFT JOIN orchestrator.rate_turns t ON t.workflow_id = w.id
        """,  # noqa: S608  (a condition of ours)
        {"ids": [str(id_) for id_ in workflow_ids]},
        execution_options=PREPARED,
    )
    return {row[0]: _permits(*row[1:]) for row in rows}


def _permits(begun: Any, awaited: bool, next_version: UUID | None, began: float, now: float, late: Any) -> Permits:
    taken = [(at, count) for at, count in begun]
    return Permits(taken, awaited, next_version, began, now, [(since, started) for since, started in late])


def save_permits(connection: Connection, updates: Sequence[PermitsUpdate]) -> None:
    connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.rate_turns AS t (workflow_id, begun, taken_until, awaited)
        SELECT r.workflow_id, r.begun, r.taken_until, r.awaited FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
            workflow_id uuid, begun jsonb, taken_until timestamptz, awaited boolean)
        ON CONFLICT (workflow_id) DO UPDATE
        SET begun = excluded.begun, taken_until = excluded.taken_until, awaited = excluded.awaited
        """,
        {"rows": jsonio.dumps_for_database(updates)},
        execution_options=PREPARED,
    )


def awaited_permits(connection: Connection, *, within: float, limit: int) -> dict[UUID, float]:
    """Returns, by workflow, in how many seconds a permit is free that an execution waits for; only those that are free
    `within` seconds."""
    rows = connection.exec_driver_sql(
        """
        SELECT workflow_id, extract(epoch FROM taken_until - now())::float8 FROM orchestrator.rate_turns
        WHERE awaited AND taken_until <= now() + make_interval(secs => %(within)s)
        ORDER BY taken_until LIMIT %(limit)s
        """,
        {"within": within, "limit": limit},
        execution_options=PREPARED,
    )
    return {row[0]: row[1] for row in rows}
