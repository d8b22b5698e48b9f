"""The answer for a webhook's caller who waits: kept with the event, and told to the process that holds the call."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, Engine

from flowforge import jsonio
from flowforge.db.autocommit import autocommitting
from flowforge.db.engine import unavailable_when_down

logger = logging.getLogger(__name__)

Mode = Literal["immediately", "when finished", "by a RESPOND step"]
"""When the caller is answered: `respond` in the trigger's config."""
MODES: tuple[Mode, ...] = get_args(Mode)
LONGEST_WAIT_SECONDS = 60.0
DEFAULT_WAIT_SECONDS = 30.0
_KEPT_SECONDS = 120
_LOOK_EVERY_SECONDS = 2.0
"""Into the table, in case the word was lost."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: text as it is, anything else as JSON."""

    status: int
    headers: dict[str, str]
    body: Any

    def row(self) -> dict[str, Any]:
        return {"status": self.status, "headers": self.headers, "body": self.body}


def keep(connection: Connection, answers: Sequence[tuple[UUID, Answer]]) -> list[UUID]:
    """Stores the answers of events that have none yet; returns those events."""
    rows = connection.exec_driver_sql(
        """
        UPDATE trigger_service.trigger_events e SET response = r.response
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, response jsonb)
        WHERE e.id = r.id AND e.response IS NULL RETURNING e.id
        """,
        {"rows": jsonio.dumps_for_database([{"id": id_, "response": answer.row()} for id_, answer in answers])},
    )
    return [row[0] for row in rows]


def tell(redis: Redis, event_ids: Sequence[UUID]) -> None:
    """After the commit: whoever waits for these events looks at once."""
    if not event_ids:
        return
    try:
        pipeline = redis.pipeline(transaction=False)
        for event_id in event_ids:
            pipeline.rpush(_key(event_id), 1)
            pipeline.expire(_key(event_id), _KEPT_SECONDS)
        pipeline.execute()
    except RedisError as error:
        logger.warning("%d callers were not told, and will look for themselves: %s", len(event_ids), error)


@dataclass(frozen=True, slots=True)
class Awaited:
    """An event whose caller asked for an answer; None: there is none yet."""

    answer: Answer | None


def find_awaited(engine: Engine, event_id: UUID) -> Awaited | None:
    """None where no caller waits, or waited, for such an event. Raises Unavailable."""
    with unavailable_when_down(), autocommitting(engine) as connection:
        row = connection.exec_driver_sql(
            """
            SELECT response FROM trigger_service.trigger_events
            WHERE id = %(id)s AND awaited_by->>'caller' IS NOT NULL
            """,
            {"id": str(event_id)},
        ).first()
    if row is None:
        return None
    response = row[0]
    return Awaited(Answer(response["status"], response["headers"], response["body"]) if response else None)


def wait_for(engine: Engine, redis: Redis, event_id: UUID, seconds: float) -> Answer | None:
    """The answer, as soon as there is one; None when there is none within the time. Raises Unavailable."""
    until = time.monotonic() + seconds
    while True:
        awaited = find_awaited(engine, event_id)
        left = until - time.monotonic()
        if awaited is None or awaited.answer is not None or left <= 0:
            return awaited.answer if awaited else None
        _rest(redis, event_id, min(left, _LOOK_EVERY_SECONDS))


def _rest(redis: Redis, event_id: UUID, seconds: float) -> None:
    started = time.monotonic()
    try:
        redis.blpop([_key(event_id)], timeout=max(seconds, 0.01))
    except RedisError as error:
        logger.warning("the word of an answer cannot be heard, looking for it: %s", error)
        time.sleep(max(0.0, min(seconds, 0.2) - (time.monotonic() - started)))


def _key(event_id: UUID) -> str:
    return f"flowforge:answer:{event_id}"
