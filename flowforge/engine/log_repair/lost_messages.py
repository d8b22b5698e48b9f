"""Log lines whose messages went with a Valkey that was emptied before the log sink had read them.

Executions lose nothing by that (flowforge.engine.redelivery); their log would. What PostgreSQL knows of the executions
of that time is written to the log directly. Lines that are there already stay as they are; a result's line that is
written anew has no output: that is in the execution.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection

from flowforge.db.engine import unavailable_when_down
from flowforge.engine.log_sink import LogSink
from flowforge.engine.plans import Plans
from flowforge.errors import Unavailable
from flowforge.events import ExecutionEvent, ExecutionResult, ExecutionStart, TopicMessage, TriggerEvent
from flowforge.language.plan import Step
from flowforge.wiring import Backends

EXECUTIONS_AT_ONCE = 500
MOST_EXECUTIONS = 50_000
LOOK_BACK = timedelta(minutes=10)
"""How far behind the log sink may have been."""
_MARK = "flowforge:bus-epoch"

logger = logging.getLogger(__name__)


def write_lost_messages(backends: Backends) -> int:
    """Looks whether the bus was emptied since the last look, and makes up for it; the number of executions that were
    written about. Raises Unavailable."""
    if backends.settings.kafka_brokers:
        return 0  # the messages are not in Valkey
    epoch = _epoch(backends.redis)
    with unavailable_when_down(), backends.engine.begin() as connection:
        since = _lost_since(connection, epoch)
        if since is None:
            return 0
        sink, plans, count = LogSink(backends), Plans(), 0
        for events in _events_since(connection, since - LOOK_BACK):
            sink.write([message for event in events for message in _lines(connection, plans, event)])
            count += len(events)
    logger.warning("The bus was emptied; the log of %d executions was made up for", count)
    return count


def _epoch(redis: Redis) -> str:
    """A mark that goes with the messages."""
    try:
        fresh = str(uuid4())
        found = redis.set(_MARK, fresh, nx=True, get=True)
    except RedisError as error:
        raise Unavailable(f"Valkey: {error}") from error
    return found.decode() if isinstance(found, bytes) else fresh


def _lost_since(connection: Connection, epoch: str) -> datetime | None:
    """When the bus was last seen with another mark; None where it is the same, or the first one ever."""
    before = connection.exec_driver_sql(
        "SELECT epoch, seen_at FROM orchestrator.bus_memory WHERE name = 'streams' FOR UPDATE"
    ).first()
    connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.bus_memory (name, epoch, seen_at) VALUES ('streams', %(epoch)s, now())
        ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, seen_at = now()
        """,
        {"epoch": epoch},
    )
    if before is None or before[0] == epoch:
        return None
    seen_at: datetime = before[1]
    return seen_at


def _events_since(connection: Connection, since: datetime) -> Iterator[Sequence[Any]]:
    """Accepted events with their executions, the oldest first."""
    after = (since, UUID(int=0))
    for _ in range(MOST_EXECUTIONS // EXECUTIONS_AT_ONCE):
        rows = connection.exec_driver_sql(
            """
            SELECT e.id, e.created_at, e.trigger_id, e.workflow_id, e.user_id, e.trigger_type, e.metadata,
                   x.id AS execution_id, x.status, x.error, x.created_at AS begun_at, x.finished_at, x.version_id
            FROM trigger_service.trigger_events e
            LEFT JOIN orchestrator.workflow_executions x ON x.event_id = e.id
            WHERE (e.created_at, e.id) > (%(at)s, %(id)s) ORDER BY e.created_at, e.id LIMIT %(limit)s
            """,
            {"at": after[0], "id": str(after[1]), "limit": EXECUTIONS_AT_ONCE},
        ).all()
        if rows:
            yield rows
        if len(rows) < EXECUTIONS_AT_ONCE:
            return
        after = (rows[-1].created_at, rows[-1].id)
    logger.warning("More than %d executions were lost to the log; the newest are not made up for", MOST_EXECUTIONS)


def _lines(connection: Connection, plans: Plans, event: Any) -> Iterator[TopicMessage]:
    yield TriggerEvent(
        event_id=event.id,
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        timestamp=event.created_at,
        metadata=event.metadata,
        by_reference=True,
    )
    if event.execution_id is not None:
        yield from lines_of_execution(connection, plans, event)


def lines_of_execution(connection: Connection, plans: Plans, event: Any) -> Iterator[TopicMessage]:
    """A row with execution_id, workflow_id, user_id, version_id, id (of its event), begun_at, status, error and
    finished_at."""
    yield _execution_event(event, "STARTED", event.begun_at, event_id=event.id)
    versions = plans.get(connection, [event.version_id] if event.version_id else [])
    version = versions.get(event.version_id)
    for attempt in _attempts(connection, event.execution_id):
        step = version.plan.step(attempt.step_index) if version else None
        yield from _attempt_lines(event, attempt, step)
    if event.finished_at is not None:
        yield _execution_event(event, event.status, event.finished_at, error=event.error)


def _attempts(connection: Connection, execution_id: UUID) -> Sequence[Any]:
    return connection.exec_driver_sql(
        """
        SELECT step_index, iteration, attempt, succeeded, error, sent_at, started_at, finished_at,
               LEAD(due_at) OVER (PARTITION BY step_index, iteration ORDER BY attempt) AS next_due_at
        FROM orchestrator.step_attempts WHERE execution_id = %(id)s
        ORDER BY COALESCE(sent_at, due_at) LIMIT 10000
        """,
        {"id": str(execution_id)},
    ).all()


def _attempt_lines(event: Any, attempt: Any, step: Step | None) -> Iterator[TopicMessage]:
    key = {
        "execution_id": event.execution_id,
        "workflow_id": event.workflow_id,
        "user_id": event.user_id,
        "step_index": attempt.step_index,
        "iteration": attempt.iteration,
        "attempt": attempt.attempt,
    }
    if attempt.sent_at is not None and step is not None and step.block is None:
        yield ExecutionStart(
            **key, action_type=step.type, action_config=step.config, timestamp=attempt.sent_at, by_reference=True
        )
    if attempt.finished_at is not None and attempt.succeeded is not None:
        yield ExecutionResult(
            **key,
            status="SUCCESS" if attempt.succeeded else "FAILURE",
            error_message=(attempt.error or {}).get("message"),
            started_at=attempt.started_at,
            timestamp=attempt.finished_at,
        )
        if attempt.next_due_at is not None and not attempt.succeeded:
            yield _retry_line(event, attempt)


def _retry_line(event: Any, attempt: Any) -> ExecutionEvent:
    return _execution_event(
        event,
        "RETRYING",
        attempt.finished_at,
        step_index=attempt.step_index,
        iteration=attempt.iteration,
        attempt=attempt.attempt,
        error={"message": (attempt.error or {}).get("message")},
        retry_at=attempt.next_due_at,
    )


def _execution_event(event: Any, status: Any, at: datetime, **more: Any) -> ExecutionEvent:
    return ExecutionEvent(
        execution_id=event.execution_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        status=status,
        timestamp=at,
        **more,
    )
