"""Executions whose log lines may be missing, as PostgreSQL knows them, and how far the log was checked.

The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.jsonio import JsonObject

_STREAMS = "streams"
_ENDED_EXECUTIONS = "ended executions"


@dataclass(frozen=True, slots=True)
class LoggedExecution:
    """The data of an execution that its log lines contain."""

    execution_id: UUID
    event_id: UUID | None
    workflow_id: UUID
    user_id: UUID
    version_id: UUID | None
    status: str
    error: Mapping[str, Any] | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An accepted event, with its execution where it has one."""

    event_id: UUID
    created_at: datetime
    trigger_id: UUID | None
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
    metadata: JsonObject
    execution: LoggedExecution | None


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """The data of an attempt that its log lines contain; `next_due_at` is the time of the retry that follows it."""

    step_index: int
    iteration: int
    attempt: int
    succeeded: bool | None
    error: Mapping[str, Any] | None
    sent_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndedRun:
    """An execution that is over, and which lines its log has to have."""

    execution: LoggedExecution
    has_begun: bool
    """False for an execution that was cancelled while a limit held it."""
    retried: tuple[tuple[int, int, int], ...]
    """(step index, iteration, number) of failed attempts that were followed by another."""
    succeeded: tuple[tuple[int, int, int], ...]
    """The same of attempts of its own list that an executor has run."""


@dataclass(frozen=True, slots=True)
class RepairPosition:
    """The last ended execution up to which the log is known to be whole, in the order of (finished_at, id)."""

    finished_at: datetime
    execution_id: UUID


@dataclass(frozen=True, slots=True)
class LogGap:
    """A time whose log may lack lines. Those of the events up to (written_to, written_to_event) are written."""

    written_to: datetime
    written_to_event: UUID
    ends_at: datetime


_EXECUTION = "x.id, x.event_id, x.workflow_id, x.user_id, x.version_id, x.status, x.error, x.created_at, x.finished_at"


def note_bus_epoch(connection: Connection, epoch: str) -> datetime | None:
    """Notes the mark that the bus carries. Returns when the bus was last seen with another one; None where the mark is
    the same, or the first."""
    before = connection.exec_driver_sql(
        "SELECT epoch, seen_at FROM orchestrator.bus_memory WHERE name = %(name)s FOR UPDATE", {"name": _STREAMS}
    ).first()
    connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.bus_memory (name, epoch, seen_at) VALUES (%(name)s, %(epoch)s, now())
        ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, seen_at = now()
        """,
        {"name": _STREAMS, "epoch": epoch},
    )
    return None if before is None or before.epoch == epoch else before.seen_at


def open_gap(connection: Connection, begins_at: datetime) -> None:
    """Notes that the log may lack lines from that time until now. A gap that is still open becomes one with it."""
    connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.log_gaps AS open (name, written_to, written_to_event, ends_at)
        VALUES (%(name)s, %(at)s, %(id)s, now())
        ON CONFLICT (name) DO UPDATE SET written_to = LEAST(open.written_to, excluded.written_to),
            written_to_event = excluded.written_to_event, ends_at = excluded.ends_at
        """,
        {"name": _STREAMS, "at": begins_at, "id": str(UUID(int=0))},
    )


def lock_gap(connection: Connection) -> LogGap | None:
    """Locks the gap; returns None where there is none, or another process fills it now."""
    row = connection.exec_driver_sql(
        """
        SELECT written_to, written_to_event, ends_at FROM orchestrator.log_gaps WHERE name = %(name)s
        FOR UPDATE SKIP LOCKED
        """,
        {"name": _STREAMS},
    ).first()
    return LogGap(*row) if row else None


def narrow_gap(connection: Connection, written_to: LoggedEvent) -> None:
    connection.exec_driver_sql(
        "UPDATE orchestrator.log_gaps SET written_to = %(at)s, written_to_event = %(id)s WHERE name = %(name)s",
        {"name": _STREAMS, "at": written_to.created_at, "id": str(written_to.event_id)},
    )


def close_gap(connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM orchestrator.log_gaps WHERE name = %(name)s", {"name": _STREAMS})


def events_in_gap(connection: Connection, gap: LogGap, limit: int) -> list[LoggedEvent]:
    """Returns accepted events whose lines are still to be written, the oldest first."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT e.id, e.created_at, e.trigger_id, e.workflow_id, e.user_id, e.trigger_type, e.metadata, {_EXECUTION}
        FROM trigger_service.trigger_events e
        LEFT JOIN orchestrator.workflow_executions x ON x.event_id = e.id
        WHERE (e.created_at, e.id) > (%(at)s, %(id)s) AND e.created_at <= %(end)s
        ORDER BY e.created_at, e.id LIMIT %(limit)s
        """,  # noqa: S608  (names of columns)
        {"at": gap.written_to, "id": str(gap.written_to_event), "end": gap.ends_at, "limit": limit},
    )
    return [LoggedEvent(*(*row[:7], LoggedExecution(*row[7:]) if row[7] else None)) for row in rows]


def logged_attempts(connection: Connection, execution_id: UUID, limit: int) -> list[LoggedAttempt]:
    """Returns the attempts of an execution in the order in which they were sent."""
    rows = connection.exec_driver_sql(
        """
        SELECT step_index, iteration, attempt, succeeded, error, sent_at, started_at, finished_at,
               LEAD(due_at) OVER (PARTITION BY step_index, iteration ORDER BY attempt)
        FROM orchestrator.step_attempts WHERE execution_id = %(id)s
        ORDER BY COALESCE(sent_at, due_at) LIMIT %(limit)s
        """,
        {"id": str(execution_id), "limit": limit},
    )
    return [LoggedAttempt(*row) for row in rows]


def lock_repair_position(connection: Connection, longest_look_back_hours: int) -> RepairPosition:
    """Locks the position, so that one process repairs at a time. The first one ever is the present time."""
    connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.log_repair_positions (name, finished_at, execution_id) VALUES (%(name)s, now(), %(id)s)
        ON CONFLICT DO NOTHING
        """,
        {"name": _ENDED_EXECUTIONS, "id": str(UUID(int=0))},
    )
    row = connection.exec_driver_sql(
        """
        SELECT GREATEST(finished_at, now() - make_interval(hours => %(hours)s)), execution_id
        FROM orchestrator.log_repair_positions WHERE name = %(name)s FOR UPDATE
        """,
        {"name": _ENDED_EXECUTIONS, "hours": longest_look_back_hours},
    ).one()
    return RepairPosition(*row)


def move_repair_position(connection: Connection, position: RepairPosition) -> None:
    connection.exec_driver_sql(
        """
        UPDATE orchestrator.log_repair_positions SET finished_at = %(at)s, execution_id = %(id)s WHERE name = %(name)s
        """,
        {"name": _ENDED_EXECUTIONS, "at": position.finished_at, "id": str(position.execution_id)},
    )


def ended_runs(
    connection: Connection, behind: RepairPosition, *, settled_seconds: float, limit: int, most_attempts: int
) -> list[EndedRun]:
    """Returns executions behind that position that ended more than `settled_seconds` ago, in order; of each at most
    `most_attempts` of its retries, and of its steps."""
    rows = connection.exec_driver_sql(
        f"""
        SELECT {_EXECUTION},
               x.status <> 'CANCELLED' OR EXISTS (
                   SELECT FROM orchestrator.step_attempts a WHERE a.execution_id = x.id),
               ARRAY(
                   SELECT jsonb_build_array(a.step_index, a.iteration, a.attempt)
                   FROM orchestrator.step_attempts a JOIN orchestrator.step_attempts n
                       ON n.execution_id = a.execution_id AND n.step_index = a.step_index
                       AND n.iteration = a.iteration AND n.attempt = a.attempt + 1
                   WHERE a.execution_id = x.id AND n.execution_id = x.id AND n.attempt > 1 AND NOT a.succeeded
                   LIMIT %(attempts)s),
               ARRAY(
                   SELECT jsonb_build_array(a.step_index, a.iteration, a.attempt)
                   FROM orchestrator.step_attempts a
                   WHERE a.execution_id = x.id AND a.iteration = 0 AND a.succeeded AND a.sent_at IS NOT NULL
                   LIMIT %(attempts)s)
        FROM orchestrator.workflow_executions x
        WHERE x.finished_at >= %(at)s AND (x.finished_at, x.id) > (%(at)s, %(id)s::uuid)
            AND x.finished_at < now() - make_interval(secs => %(settled)s)
        ORDER BY x.finished_at, x.id LIMIT %(limit)s
        """,  # noqa: S608
        {
            "at": behind.finished_at,
            "id": str(behind.execution_id),
            "settled": settled_seconds,
            "limit": limit,
            "attempts": most_attempts,
        },
    )
    return [EndedRun(LoggedExecution(*row[:9]), row[9], _tuples(row[10]), _tuples(row[11])) for row in rows]


def _tuples(attempts: Sequence[Sequence[int]]) -> tuple[tuple[int, int, int], ...]:
    return tuple((step_index, iteration, attempt) for step_index, iteration, attempt in attempts)
