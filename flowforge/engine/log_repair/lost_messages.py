"""Log lines whose messages went with a Valkey that was emptied before the log sink had read them.

Executions lose nothing by that (flowforge.engine.redelivery); their log would. What PostgreSQL knows of the executions
of that time is written to the log directly. Lines that are there already stay as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from redis import Redis
from redis.exceptions import RedisError

from flowforge.db import log_repair_store
from flowforge.db.engine import Connection, transaction
from flowforge.db.log_repair_store import LoggedEvent
from flowforge.engine.log_repair.lines import lines_of_event
from flowforge.engine.log_sink import LogSink
from flowforge.engine.plans import Plans
from flowforge.errors import Unavailable
from flowforge.wiring import Backends

EVENTS_AT_ONCE = 500
MOST_EVENTS = 50_000
LOOK_BACK = timedelta(minutes=10)
"""Longest lag of the log sink that is made up for."""
_MARK = "flowforge:bus-epoch"

logger = logging.getLogger(__name__)


def write_lost_messages(backends: Backends) -> int:
    """Looks whether the bus was emptied since the last look, and writes the lines that went with it. Returns the number
    of events that were written about. Raises Unavailable."""
    if backends.settings.kafka_brokers:
        return 0  # the messages are not in Valkey
    epoch = _read_mark(backends.redis)
    with transaction(backends.engine) as connection:
        since = log_repair_store.note_bus_epoch(connection, epoch)
        if since is None:
            return 0
        count = _write_since(LogSink(backends), connection, since - LOOK_BACK)
    logger.warning("The bus was emptied; the log of %d executions was repaired", count)
    return count


def _read_mark(redis: Redis) -> str:
    """A mark in Valkey that goes with the messages; set where there is none."""
    try:
        fresh = str(uuid4())
        found = redis.set(_MARK, fresh, nx=True, get=True)
    except RedisError as error:
        raise Unavailable(f"Valkey: {error}") from error
    return found.decode() if isinstance(found, bytes) else fresh


def _write_since(sink: LogSink, connection: Connection, since: datetime) -> int:
    plans, count = Plans(), 0
    for events in _events_since(connection, since):
        sink.write([message for event in events for message in lines_of_event(connection, plans, event)])
        count += len(events)
    return count


def _events_since(connection: Connection, since: datetime) -> Iterator[Sequence[LoggedEvent]]:
    """Accepted events, the oldest first."""
    after = (since, UUID(int=0))
    for _ in range(MOST_EVENTS // EVENTS_AT_ONCE):
        events = log_repair_store.events_after(connection, *after, limit=EVENTS_AT_ONCE)
        if events:
            yield events
        if len(events) < EVENTS_AT_ONCE:
            return
        after = (events[-1].created_at, events[-1].event_id)
    logger.warning("More than %d executions were lost to the log; the newest are not repaired", MOST_EVENTS)
