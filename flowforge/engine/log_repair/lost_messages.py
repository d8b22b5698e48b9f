"""Log lines whose messages went with a Valkey that was emptied before the log sink had read them.

Executions lose nothing by that (flowforge.engine.redelivery); their log would. So the time that may lack lines is noted
as a gap, and what PostgreSQL knows of the executions of that time is written to the log directly, a bounded round at a
time. Lines that are there already stay as they are.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

from flowforge.db import log_repair_store
from flowforge.db.engine import Connection, transaction
from flowforge.db.log_repair_store import LogGap
from flowforge.engine.log_repair.lines import lines_of_event
from flowforge.engine.log_repair.writing import write_lines
from flowforge.engine.log_sink import LogSink
from flowforge.engine.plans import Plans
from flowforge.errors import Unavailable
from flowforge.wiring import Backends

EVENTS_AT_ONCE = 200
SECONDS_PER_ROUND = 2.0
LOOK_BACK = timedelta(minutes=10)
"""Longest lag of the log sink that is made up for."""
_MARK = "flowforge:bus-epoch"

logger = logging.getLogger(__name__)


def write_lost_messages(backends: Backends, seconds: float = SECONDS_PER_ROUND, at_once: int = EVENTS_AT_ONCE) -> int:
    """Looks whether the bus was emptied since the last look, and writes lines that went with it, those of `at_once`
    events in a transaction.

    What is left after `seconds` waits for the next round. Returns the number of events that were written about. Raises
    Unavailable.
    """
    if backends.settings.kafka_brokers:
        return 0  # the messages are not in Valkey
    _note_gap(backends)
    return _fill_gap(backends, time.monotonic() + seconds, at_once)


def _note_gap(backends: Backends) -> None:
    epoch = _read_mark(backends.redis)
    with transaction(backends.engine) as connection:
        since = log_repair_store.note_bus_epoch(connection, epoch)
        if since is not None:
            log_repair_store.open_gap(connection, since - LOOK_BACK)
            logger.warning("The bus was emptied after %s; the log is repaired in the background", since)


def _read_mark(redis: Redis) -> str:
    """A mark in Valkey that goes with the messages; set where there is none."""
    try:
        fresh = str(uuid4())
        found = redis.set(_MARK, fresh, nx=True, get=True)
    except RedisError as error:
        raise Unavailable(f"Valkey: {error}") from error
    return found.decode() if isinstance(found, bytes) else fresh


def _fill_gap(backends: Backends, deadline: float, at_once: int) -> int:
    """Writes at least one batch, so that every round gets further. `deadline` is a time of `time.monotonic`."""
    plans, count = Plans(), 0
    while True:
        with transaction(backends.engine) as connection:
            gap = log_repair_store.lock_gap(connection)
            written = _fill(backends, connection, plans, gap, at_once) if gap else 0
        count += written
        if written < at_once:
            return count
        if time.monotonic() >= deadline:
            logger.info("The log of %d more executions was repaired; the next round goes on", count)
            return count


def _fill(backends: Backends, connection: Connection, plans: Plans, gap: LogGap, at_once: int) -> int:
    events = log_repair_store.events_in_gap(connection, gap, at_once)
    write_lines(LogSink(backends), events, lambda event: list(lines_of_event(connection, plans, event)))
    if len(events) < at_once:
        log_repair_store.close_gap(connection)
        logger.warning("The log is whole again up to %s", gap.ends_at)
    else:
        log_repair_store.narrow_gap(connection, events[-1])
    return len(events)
