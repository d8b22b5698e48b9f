"""Lines of the log whose messages were never published: their process was killed after its commit, or the bus was away.

What ends an execution, takes a step's result, or has a step tried again, is committed first and announced afterwards,
and nothing redelivers announcements. So upkeep goes through what has ended, once, and looks whether the log says so;
where it does not, the lines of that execution are written. Those that are there already stay as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flowforge import events
from flowforge.db import log_repair_store
from flowforge.db.engine import Connection, transaction
from flowforge.db.log_repair_store import EndedRun, RepairPosition
from flowforge.engine.log_repair.lines import lines_of_execution
from flowforge.engine.log_repair.writing import write_lines
from flowforge.engine.log_sink import LogSink, key_of_execution, key_of_result
from flowforge.engine.plans import Plans
from flowforge.events import TopicMessage
from flowforge.wiring import Backends

SETTLED_SECONDS = 60.0
"""Time that a line may be on its way, after a transaction that may have taken a while."""
EXECUTIONS_AT_ONCE = 500
LONGEST_LOOK_BACK_HOURS = 24
_ATTEMPTS = 100
"""Looked for in the log of one execution."""
_MOST_BATCHES = 20
_BACKLOG = 100

logger = logging.getLogger(__name__)


def write_unpublished_messages(
    backends: Backends, settled: float = SETTLED_SECONDS, at_once: int = EXECUTIONS_AT_ONCE
) -> int:
    """Writes what the log lacks of executions that ended `settled` seconds ago or before, `at_once` in a transaction.

    One bounded round; returns the number of executions that were written about. Raises Unavailable.
    """
    if _has_backlog(backends):
        return 0
    written = 0
    for _ in range(_MOST_BATCHES):
        with transaction(backends.engine) as connection:
            ended = _next_ended(connection, settled, at_once)
            if ended:
                written += _write(backends, connection, _find_incomplete(backends, ended))
                log_repair_store.move_repair_position(connection, _position_of(ended[-1]))
        if len(ended) < at_once:
            break
    if written:
        logger.warning("The log lacked lines of %d executions that are over; they were written", written)
    return written


def _has_backlog(backends: Backends) -> bool:
    """While the log sink has much to read, what it has not read is not lost."""
    lag, sink = backends.bus.lag(), backends.settings.group_log_sink
    return any(lag.get((topic, sink), 0) >= _BACKLOG for topic in (events.EXECUTION_EVENTS, events.EXECUTION_RESULT))


def _next_ended(connection: Connection, settled: float, at_once: int) -> list[EndedRun]:
    position = log_repair_store.lock_repair_position(connection, LONGEST_LOOK_BACK_HOURS)
    return log_repair_store.ended_runs(
        connection, position, settled_seconds=settled, limit=at_once, most_attempts=_ATTEMPTS
    )


def _position_of(ended: EndedRun) -> RepairPosition:
    assert ended.execution.finished_at is not None
    return RepairPosition(ended.execution.finished_at, ended.execution.execution_id)


def _find_incomplete(backends: Backends, ended: Sequence[EndedRun]) -> list[EndedRun]:
    """Returns those whose beginning, end, results or retries the log lacks."""
    keys = {run.execution.execution_id: _keys(run) for run in ended}
    missing = backends.logbook.missing([key for its_keys in keys.values() for key in its_keys])
    return [run for run in ended if missing.intersection(keys[run.execution.execution_id])]


def _keys(run: EndedRun) -> list[str]:
    """The keys of the lines that the log has to have."""
    id_, status = run.execution.execution_id, run.execution.status
    statuses = ["STARTED", status] if run.has_begun else [status]
    retries = [key_of_execution(id_, "RETRYING", *failed) for failed in run.retried]
    results = [key_of_result(id_, *succeeded) for succeeded in run.succeeded]
    return [key_of_execution(id_, status) for status in statuses] + retries + results


def _write(backends: Backends, connection: Connection, incomplete: Sequence[EndedRun]) -> int:
    if not incomplete:
        return 0  # the connectors, which the log sink knows, take memory
    plans = Plans()
    return write_lines(LogSink(backends), incomplete, lambda run: _lines(connection, plans, run))


def _lines(connection: Connection, plans: Plans, run: EndedRun) -> list[TopicMessage]:
    lines = list(lines_of_execution(connection, plans, run.execution))
    return lines if run.has_begun else lines[-1:]
