"""Announcements to the live views: one channel per execution, one JSON text per line of the log or draft of a step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from redis import Redis

from flowforge import jsonio
from flowforge.events import ExecutionStart
from flowforge.jsonio import JsonObject
from flowforge.logbook import LogEntry

PATTERN = "flowforge:live:*"


def channel(execution_id: UUID) -> str:
    return PATTERN.replace("*", str(execution_id))


def entry_fields(entry: LogEntry) -> JsonObject:
    """A log entry as the API shows it (contract.md, section 1.1)."""
    return {
        "id": entry.id,
        "userId": entry.user_id,
        "workflowId": entry.workflow_id,
        "executionId": entry.execution_id,
        "eventId": entry.event_id,
        "eventType": entry.event_type,
        "status": entry.status,
        "data": entry.data,
        "timestamp": entry.timestamp,
    }


def entry_json(entry: LogEntry) -> bytes:
    return jsonio.dumps({"cursor": entry.cursor, "entry": entry_fields(entry)})


def watched(redis: Redis, execution_ids: Iterable[UUID]) -> set[UUID]:
    """Returns those of the executions that somebody watches; asks Redis once. Raises RedisError."""
    asked = list(dict.fromkeys(execution_ids))
    answers = redis.pubsub_numsub(*map(channel, asked)) if asked else []
    return {execution_id for execution_id, (_, viewers) in zip(asked, answers, strict=True) if viewers}


def announce(redis: Redis, stored: Sequence[LogEntry]) -> None:
    """Publishes lines of executions that somebody watches. Raises RedisError.

    They are stored before it is asked who watches, and a viewer subscribes before it reads what is stored: it misses
    none, whenever it comes.
    """
    viewed = watched(redis, [entry.execution_id for entry in stored if entry.execution_id is not None])
    pipeline = redis.pipeline(transaction=False)
    for entry in stored:
        if entry.execution_id in viewed:
            pipeline.publish(channel(entry.execution_id), entry_json(entry))
    pipeline.execute()


def draft_json(start: ExecutionStart, text: str) -> bytes:
    """The end of what a step has written so far: it takes the place of what was announced of that step before."""
    step = {"stepIndex": start.step_index, "iteration": start.iteration, "attempt": start.attempt}
    return jsonio.dumps({"draft": {**step, "text": text}})
