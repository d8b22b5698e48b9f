"""Lines of the log whose messages were never published: their process was killed after its commit, or the bus was away.

What ends an execution, or has a step tried again, is committed first and told afterwards, and nobody owes the telling.
So upkeep goes through what has ended, once, and looks whether the log says so; where it does not, the lines of that
execution are written. Those that are there already stay as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import events
from flowforge.db.engine import unavailable_when_down
from flowforge.engine.log_repair.lost_messages import lines_of_execution
from flowforge.engine.log_sink import LogSink, key_of_execution
from flowforge.engine.plans import Plans
from flowforge.errors import Unavailable
from flowforge.wiring import Backends

SETTLED_SECONDS = 60.0
"""How long a line may be on its way, after a transaction that may have taken a while."""
LONGEST_LOOK_BACK_HOURS = 24
EXECUTIONS_AT_ONCE = 500
_RETRIES = 100
"""Of one execution, whose lines are looked for."""
_MOST_BATCHES = 20
_BACKLOG = 100
_NAME = "ended executions"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """Up to which execution the log is known to be whole; they are ordered by (finished_at, id)."""

    finished_at: datetime
    execution_id: str


def write_unpublished_messages(
    backends: Backends, settled: float = SETTLED_SECONDS, at_once: int = EXECUTIONS_AT_ONCE
) -> int:
    """Write what the log lacks of executions that ended `settled` seconds ago or before, `at_once` in a transaction.

    One bounded round; returns the number of executions that were written about. Raises Unavailable.
    """
    if _lags(backends):
        return 0
    written = 0
    for _ in range(_MOST_BATCHES):
        with unavailable_when_down(), backends.engine.begin() as connection:
            ended = _ended_behind(connection, _place(connection), settled, at_once)
            if ended:
                written += _write(backends, connection, _unsaid(backends, ended))
                _remember(connection, _Place(ended[-1].finished_at, str(ended[-1].execution_id)))
        if len(ended) < at_once:
            break
    if written:
        logger.warning("The log lacked lines of %d executions that are over; they were made up for", written)
    return written


def _lags(backends: Backends) -> bool:
    """While the log sink has much to read, what it has not read is not lost."""
    return backends.bus.lag().get((events.EXECUTION_EVENTS, backends.settings.group_log_sink), 0) >= _BACKLOG


def _place(connection: Connection) -> _Place:
    """Locked: one looks at a time. The first one ever begins with what ends from now on."""
    connection.exec_driver_sql(
        """
        INSERT INTO orchestrator.bus_memory (name, epoch, seen_at) VALUES (%(name)s, %(first)s, now())
        ON CONFLICT DO NOTHING
        """,
        {"name": _NAME, "first": str(UUID(int=0))},
    )
    row = connection.exec_driver_sql(
        """
        SELECT GREATEST(seen_at, now() - make_interval(hours => %(hours)s)), epoch
        FROM orchestrator.bus_memory WHERE name = %(name)s FOR UPDATE
        """,
        {"name": _NAME, "hours": LONGEST_LOOK_BACK_HOURS},
    ).one()
    return _Place(row[0], row[1])


def _remember(connection: Connection, place: _Place) -> None:
    connection.exec_driver_sql(
        "UPDATE orchestrator.bus_memory SET epoch = %(id)s, seen_at = %(at)s WHERE name = %(name)s",
        {"name": _NAME, "id": place.execution_id, "at": place.finished_at},
    )


def _ended_behind(connection: Connection, place: _Place, settled: float, at_once: int) -> Sequence[Any]:
    return connection.exec_driver_sql(
        """
        SELECT x.event_id AS id, x.id AS execution_id, x.workflow_id, x.user_id, x.status, x.error,
               x.created_at AS begun_at, x.finished_at, x.version_id,
               x.status <> 'CANCELLED' OR EXISTS (
                   SELECT FROM orchestrator.step_attempts a WHERE a.execution_id = x.id) AS has_begun,
               ARRAY(
                   SELECT jsonb_build_array(a.step_index, a.iteration, a.attempt)
                   FROM orchestrator.step_attempts a JOIN orchestrator.step_attempts n
                       ON n.execution_id = a.execution_id AND n.step_index = a.step_index
                       AND n.iteration = a.iteration AND n.attempt = a.attempt + 1
                   WHERE a.execution_id = x.id AND n.execution_id = x.id AND n.attempt > 1 AND NOT a.succeeded
                   LIMIT %(retries)s) AS retried
        FROM orchestrator.workflow_executions x
        WHERE x.finished_at >= %(at)s AND (x.finished_at, x.id) > (%(at)s, %(id)s::uuid)
            AND x.finished_at < now() - make_interval(secs => %(settled)s)
        ORDER BY x.finished_at, x.id LIMIT %(limit)s
        """,
        {
            "at": place.finished_at,
            "id": place.execution_id,
            "settled": settled,
            "limit": at_once,
            "retries": _RETRIES,
        },
    ).all()


def _unsaid(backends: Backends, ended: Sequence[Any]) -> list[Any]:
    """Those of whose beginning, end or retries the log does not know."""
    keys = {one.execution_id: _keys(one) for one in ended}
    missing = backends.logbook.missing([key for its in keys.values() for key in its])
    return [one for one in ended if missing.intersection(keys[one.execution_id])]


def _keys(one: Any) -> list[str]:
    said = ["STARTED", one.status] if one.has_begun else [one.status]
    retries = [key_of_execution(one.execution_id, "RETRYING", *failed) for failed in one.retried]
    return [key_of_execution(one.execution_id, status) for status in said] + retries


def _write(backends: Backends, connection: Connection, unsaid: Sequence[Any]) -> int:
    sink, plans, written = LogSink(backends), Plans(), 0
    for one in unsaid:
        lines = list(lines_of_execution(connection, plans, one))
        try:
            sink.write(lines if one.has_begun else lines[-1:])
            written += 1
        except Unavailable:
            raise
        except Exception:
            logger.exception("the log of execution %s cannot be written; the others go on", one.execution_id)
    return written
