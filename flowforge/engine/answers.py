"""Answers for callers of webhooks who wait: stored with the event, and notified to the process that holds the call."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError

from flowforge.db import events_store
from flowforge.db.engine import Connection, Engine
from flowforge.db.events_store import EventResponse
from flowforge.jsonio import JsonObject
from flowforge.wiring import LONGEST_BLOCK_SECONDS

logger = logging.getLogger(__name__)

Mode = Literal["immediately", "when finished", "by a RESPOND step"]
"""The moment at which the caller is answered: `respond` in the trigger's config."""
MODES: tuple[Mode, ...] = get_args(Mode)
LONGEST_WAIT_SECONDS = 60.0
DEFAULT_WAIT_SECONDS = 30.0
_KEPT_SECONDS = 120
_LOOK_EVERY_SECONDS = LONGEST_BLOCK_SECONDS
"""Into the table, in case the notification was lost."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response. `body` is sent as it is where it is text, anything else as JSON."""

    status: int
    headers: dict[str, str]
    body: Any

    def row(self) -> JsonObject:
        return {"status": self.status, "headers": self.headers, "body": self.body}


def keep(connection: Connection, new: Sequence[tuple[UUID, Answer]]) -> list[UUID]:
    """Stores the answers of events that have none yet; returns the ids of those events."""
    return events_store.keep_responses(connection, [EventResponse(id_, answer.row()) for id_, answer in new])


def notify(redis: Redis, event_ids: Sequence[UUID]) -> None:
    """Wakes the callers who wait for these events, after the commit; never raises."""
    if not event_ids:
        return
    try:
        pipeline = redis.pipeline(transaction=False)
        for event_id in event_ids:
            pipeline.rpush(_key(event_id), 1)
            pipeline.expire(_key(event_id), _KEPT_SECONDS)
        pipeline.execute()
    except RedisError as error:
        logger.warning("%d callers were not notified, and will look for themselves: %s", len(event_ids), error)


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """An event whose caller waits for an answer; None: there is none yet."""

    answer: Answer | None


def find_pending(engine: Engine, event_id: UUID, trigger_id: UUID | None = None) -> PendingAnswer | None:
    """None where no caller waits, or has waited, for such an event, of that trigger where one is named. Raises
    Unavailable."""
    pending = events_store.find_response(engine, event_id, trigger_id)
    if pending is None:
        return None
    return PendingAnswer(Answer(**pending.response) if pending.response else None)


def wait_for(engine: Engine, redis: Redis, event_id: UUID, seconds: float) -> Answer | None:
    """Returns the answer as soon as there is one; None when there is none within the time. Raises Unavailable."""
    until = time.monotonic() + seconds
    while True:
        pending = find_pending(engine, event_id)
        left = until - time.monotonic()
        if pending is None or pending.answer is not None or left <= 0:
            return pending.answer if pending else None
        _rest(redis, event_id, min(left, _LOOK_EVERY_SECONDS))


def _rest(redis: Redis, event_id: UUID, seconds: float) -> None:
    """Returns when `notify` was called for the event, or after that time."""
    started = time.monotonic()
    try:
        redis.blpop([_key(event_id)], timeout=max(seconds, 0.01))
    except RedisError as error:
        logger.warning("notifications of answers do not arrive, looking for them: %s", error)
        time.sleep(max(0.0, min(seconds, 0.2) - (time.monotonic() - started)))


def _key(event_id: UUID) -> str:
    return f"flowforge:answer:{event_id}"
