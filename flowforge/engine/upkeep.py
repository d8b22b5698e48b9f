"""Upkeep: redelivery of lost messages, repair of the log, and deletion of what is older than the settings keep."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flowforge.db import retention_store
from flowforge.db.engine import transaction
from flowforge.engine import redelivery
from flowforge.engine.log_repair.lost_messages import write_lost_messages
from flowforge.engine.log_repair.unpublished_messages import SETTLED_SECONDS, write_unpublished_messages
from flowforge.wiring import Backends

ROWS_AT_ONCE = 1000
SECONDS_PER_RUN = 60
EXPIRED_TOKEN_KEPT = timedelta(days=7)
USAGE_SHOWN = timedelta(days=8)
"""Days whose executions are shown, however short these are kept."""
ABANDONED_SESSION_KEPT = timedelta(days=90)
"""Longer than a cookie lives."""

log = logging.getLogger(__name__)


def resend(backends: Backends) -> None:
    """Redelivers what PostgreSQL shows as not acted upon (design invariant 3). Raises Unavailable."""
    resent = redelivery.resend(backends)
    if resent != redelivery.Redelivered():
        log.warning("Redelivered: %s", resent)


def repair_log(backends: Backends, settled: float = SETTLED_SECONDS) -> None:
    """Writes what the log lacks, in one bounded round.

    An execution that ended less than `settled` seconds ago may still have lines of its log on their way. Raises
    Unavailable.
    """
    write_lost_messages(backends)
    write_unpublished_messages(backends, settled)


def prune(
    backends: Backends,
    now: datetime | None = None,
    seconds: float = SECONDS_PER_RUN,
    rows_at_once: int = ROWS_AT_ONCE,
) -> dict[str, int]:
    """Deletes what is too old, `rows_at_once` in a transaction; returns how many rows of each kind.

    The age of executions counts from the adoption, where the originals left some. What is left after `seconds` waits
    for the next run. Raises Unavailable.
    """
    moment = now or datetime.now(UTC)
    settings = backends.settings
    kept_logs = moment - timedelta(days=settings.log_retention_days)
    kept_executions = moment - timedelta(days=settings.execution_retention_days)
    pruner = _Pruner(backends, rows_at_once, time.monotonic() + seconds)
    deleted = {
        "executions": pruner.delete_executions(kept_executions),
        "events": pruner.delete(retention_store.HANDLED_EVENTS, kept_executions),
        "refresh tokens": pruner.delete(retention_store.EXPIRED_REFRESH_TOKENS, moment - EXPIRED_TOKEN_KEPT),
        "dead letters": pruner.delete(retention_store.DEAD_LETTERS, kept_logs),
        "web sessions": pruner.delete(retention_store.ABANDONED_SESSIONS, moment - ABANDONED_SESSION_KEPT),
        "invitations": pruner.delete(retention_store.EXPIRED_INVITATIONS, moment),
        "password resets": pruner.delete(retention_store.EXPIRED_RESET_LINKS, moment),
        "days of usage": pruner.delete(retention_store.DAILY_USAGE, kept_executions - USAGE_SHOWN),
        "versions": pruner.delete(retention_store.UNUSED_VERSIONS, kept_executions),
        "mailbox states": pruner.delete(retention_store.ABANDONED_MAILBOX_STATES, moment),
        "log entries": backends.logbook.prune(kept_logs),
    }
    if any(deleted.values()):
        log.info("Deleted what is too old: %s", ", ".join(f"{count} {kind}" for kind, count in deleted.items()))
    return deleted


@dataclass(frozen=True, slots=True)
class _Pruner:
    backends: Backends
    rows_at_once: int
    deadline: float
    """A time of `time.monotonic`."""

    def delete_executions(self, before: datetime) -> int:
        """Deletes none as long as all that ended before that time were adopted: theirs ended before the adoption, ours
        after it."""
        with transaction(self.backends.engine) as connection:
            adopted_at = retention_store.adopted_at(connection)
        if adopted_at is not None and before < adopted_at:
            return 0
        return self.delete(retention_store.FINISHED_EXECUTIONS, before)

    def delete(self, statement: str, before: datetime) -> int:
        """Deletes until nothing is left, or the time is over; returns how many rows."""
        total = 0
        while time.monotonic() < self.deadline:
            with transaction(self.backends.engine) as connection:
                count = retention_store.delete_older(connection, statement, before, self.rows_at_once)
            total += count
            if count < self.rows_at_once:
                break
        return total
