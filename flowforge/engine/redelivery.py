"""What PostgreSQL shows as owed is sent again: the safety net under every message (design invariant 3).

A message is owed when its effect is missing for longer than a healthy system needs, and the consumers have nothing
left to read: a long backlog is not a loss. Everything here is idempotent; sending once too often changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine

from flowforge import events
from flowforge.bus import Message
from flowforge.connectors.catalog import load_catalog
from flowforge.db import attempts_store
from flowforge.db.attempts_store import AttemptKey
from flowforge.db.engine import unavailable_when_down
from flowforge.engine.failing_executions import reason_of
from flowforge.engine.plans import Plans
from flowforge.engine.start_messages import StartMessages
from flowforge.errors import Unavailable
from flowforge.events import ExecutionResult, TriggerEvent
from flowforge.settings import Settings
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

GRACE_SECONDS = 5.0
"""How long a message may be on its way before it is taken for lost."""
_AT_ONCE = 1_000
_BACKLOG = 100


@dataclass(frozen=True, slots=True)
class Redelivered:
    """How many messages went out again, and how many leases of dead executors were ended."""

    events: int = 0
    starts: int = 0
    results: int = 0
    leases: int = 0


def resend(backends: Backends, grace: float = GRACE_SECONDS) -> Redelivered:
    """Send one bounded round of messages that have been missing for `grace` seconds.

    Raises Unavailable when PostgreSQL or the bus is away.
    """
    settings = backends.settings
    lag = backends.bus.lag()
    with unavailable_when_down(), backends.engine.begin() as connection:
        leases = end_lost_leases(connection, settings, grace)
        group = settings.group_orchestrator
        owed_events = _owed_events(connection, settings, grace) if _idle(lag, events.TRIGGER_EVENTS, group) else []
        owed_results = _owed_results(connection, grace) if _idle(lag, events.EXECUTION_RESULT, group) else []
        queued = _owed_starts(connection, grace) if _idle(lag, events.EXECUTION_START, settings.group_executor) else []
    owed_starts: list[Message] = []
    if queued:  # the connectors take memory, and are seldom needed here
        starts = StartMessages(settings, Plans(), load_catalog(), backends.vault)
        owed_starts = _start_messages(backends.engine, starts, queued)
    backends.bus.publish([*owed_events, *owed_results, *owed_starts])
    return Redelivered(len(owed_events), len(owed_starts), len(owed_results), leases)


def end_lost_leases(connection: Connection, settings: Settings, grace: float) -> int:
    """An executor died with these: they are queued again, under the same attempt; too often, and they have failed."""
    rows = connection.exec_driver_sql(
        """
        WITH lost AS (
            SELECT execution_id, step_index, iteration, attempt FROM orchestrator.step_attempts
            WHERE state = 'RUNNING' AND lease_until < now()
            ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE orchestrator.step_attempts a
        SET state = CASE WHEN a.claims < %(most)s THEN 'QUEUED' ELSE 'ENDED' END,
            parked = a.claims < %(most)s, lease_owner = NULL, lease_until = NULL,
            succeeded = CASE WHEN a.claims >= %(most)s THEN false END,
            finished_at = CASE WHEN a.claims >= %(most)s THEN now() - make_interval(secs => %(grace)s) END,
            error = CASE WHEN a.claims >= %(most)s THEN jsonb_build_object(
                'message', format('the executor died %%s times while it ran this step', a.claims),
                'permanent', true) END
        FROM lost l
        WHERE a.execution_id = l.execution_id AND a.step_index = l.step_index AND a.iteration = l.iteration
            AND a.attempt = l.attempt
        RETURNING a.execution_id
        """,
        {"limit": _AT_ONCE, "most": settings.step_max_attempts, "grace": grace},
    )
    return len(rows.all())


def _idle(lag: dict[tuple[str, str], int], topic: str, group: str) -> bool:
    return lag.get((topic, group), 0) < _BACKLOG


def _owed_events(connection: Connection, settings: Settings, grace: float) -> list[Message]:
    rows = connection.exec_driver_sql(
        """
        SELECT id, trigger_id, workflow_id, user_id, trigger_type, created_at, metadata,
               CASE WHEN pg_column_size(payload) <= %(inline)s THEN payload END
        FROM trigger_service.trigger_events
        WHERE handled_at IS NULL AND created_at < now() - make_interval(secs => %(grace)s)
        ORDER BY created_at LIMIT %(limit)s
        """,
        {"inline": settings.payload_inline_limit // 4, "grace": grace, "limit": _AT_ONCE},
    )
    return [
        Message.of(
            events.TRIGGER_EVENTS,
            TriggerEvent(
                event_id=row[0],
                trigger_id=row[1],
                workflow_id=row[2],
                user_id=row[3],
                trigger_type=row[4],
                timestamp=row[5],
                metadata=row[6],
                payload=row[7] or {},
                by_reference=True if row[7] is None else None,
            ),
        )
        for row in rows
    ]


def _owed_starts(connection: Connection, grace: float) -> Sequence[AttemptKey]:
    """Sent long ago, still queued, and not parked. Marking them sent now spaces the resends."""
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
        {"grace": grace, "limit": _AT_ONCE},
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _start_messages(engine: Engine, starts: StartMessages, keys: Sequence[AttemptKey]) -> list[Message]:
    """A step whose message cannot be made has failed; it does not hold up the others."""
    try:
        with unavailable_when_down(), engine.begin() as connection:
            return starts.again(connection, keys)
    except Unavailable:
        raise
    except Exception as error:
        logger.exception("the messages of %d steps could not be made", len(keys))
        if len(keys) > 1:
            return [message for key in keys for message in _start_messages(engine, starts, [key])]
        with unavailable_when_down(), engine.begin() as connection:
            attempts_store.refuse(connection, keys[0], reason_of(error))
        return []


def _owed_results(connection: Connection, grace: float) -> list[Message]:
    rows = connection.exec_driver_sql(
        """
        SELECT a.execution_id, a.step_index, a.iteration, a.attempt, x.workflow_id, x.user_id, a.succeeded,
               a.error->>'message'
        FROM orchestrator.step_attempts a JOIN orchestrator.workflow_executions x ON x.id = a.execution_id
        WHERE a.state = 'ENDED' AND a.finished_at <= now() - make_interval(secs => %(grace)s)
        ORDER BY a.finished_at LIMIT %(limit)s
        """,
        {"grace": grace, "limit": _AT_ONCE},
    )
    return [
        Message.of(events.EXECUTION_RESULT, _result(row[0], row[4], row[5], (row[1], row[2], row[3]), row[6], row[7]))
        for row in rows
    ]


def _result(
    execution_id: UUID,
    workflow_id: UUID,
    user_id: UUID,
    attempt: tuple[int, int, int],
    succeeded: bool,
    message: str | None,
) -> ExecutionResult:
    """Without the output: the orchestrator takes that from the attempt's row."""
    return ExecutionResult(
        execution_id=execution_id,
        workflow_id=workflow_id,
        user_id=user_id,
        step_index=attempt[0],
        iteration=attempt[1],
        attempt=attempt[2],
        status="SUCCESS" if succeeded else "FAILURE",
        error_message=None if succeeded else message,
    )
