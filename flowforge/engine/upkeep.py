"""Upkeep: redelivery of lost messages, repair of the log, and deletion of what is older than the settings keep."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flowforge.db import retention_store
from flowforge.db.engine import transaction
from flowforge.engine import redelivery
from flowforge.engine.log_repair.lost_messages import write_lost_messages
from flowforge.engine.log_repair.unpublished_messages import SETTLED_SECONDS, write_unpublished_messages
from flowforge.wiring import Backends

Batch = tuple[int, int]
ROWS_AT_ONCE = 1000
LOG_ENTRIES_PER_EXECUTION = 10
"""About as many; so many times more of them are deleted at once, so that the log keeps up with the executions."""
SECONDS_PER_RUN = 60
EXPIRED_TOKEN_KEPT = timedelta(days=7)
REMOVED_ACCOUNT_KEPT = timedelta(days=1)
"""Until then lines of its log may still be on their way."""
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
    """Deletes what is too old, a bounded number of rows in a transaction; returns how many rows of each kind.

    The kinds take turns, so that none grows while there is too much of another. The age of executions counts from the
    adoption, where the originals left some. What is left after `seconds` waits for the next run. Raises Unavailable.
    """
    pruner = _Pruner(backends, now or datetime.now(UTC), rows_at_once)
    deleted = dict.fromkeys(_KINDS, 0)
    pending, deadline = list(_KINDS), time.monotonic() + seconds
    while pending and time.monotonic() < deadline:
        for kind in tuple(pending):
            count, most = _KINDS[kind](pruner)
            deleted[kind] += count
            if count < most:
                pending.remove(kind)
    if any(deleted.values()):
        log.info("Deleted what is too old: %s", ", ".join(f"{count} {kind}" for kind, count in deleted.items()))
    return deleted


@dataclass(frozen=True, slots=True)
class _Pruner:
    """Deletes one batch of a kind; each method returns (rows deleted, rows of a full batch)."""

    backends: Backends
    now: datetime
    rows_at_once: int

    def executions(self) -> Batch:
        """Deletes none as long as all that ended before that time were adopted: theirs ended before the adoption, ours
        after it."""
        with transaction(self.backends.engine) as connection:
            adopted_at = retention_store.adopted_at(connection)
        if adopted_at is not None and self._executions_kept < adopted_at:
            return 0, self.rows_at_once
        return self._delete(retention_store.FINISHED_EXECUTIONS, self._executions_kept)

    def events(self) -> Batch:
        return self._delete(retention_store.HANDLED_EVENTS, self._executions_kept)

    def refresh_tokens(self) -> Batch:
        return self._delete(retention_store.EXPIRED_REFRESH_TOKENS, self.now - EXPIRED_TOKEN_KEPT)

    def dead_letters(self) -> Batch:
        return self._delete(retention_store.DEAD_LETTERS, self._logs_kept)

    def web_sessions(self) -> Batch:
        return self._delete(retention_store.ABANDONED_SESSIONS, self.now - ABANDONED_SESSION_KEPT)

    def invitations(self) -> Batch:
        return self._delete(retention_store.EXPIRED_INVITATIONS, self.now)

    def password_resets(self) -> Batch:
        return self._delete(retention_store.EXPIRED_RESET_LINKS, self.now)

    def days_of_usage(self) -> Batch:
        return self._delete(retention_store.DAILY_USAGE, self._executions_kept - USAGE_SHOWN)

    def audit_entries(self) -> Batch:
        kept = timedelta(days=self.backends.settings.audit_retention_days)
        return self._delete(retention_store.AUDIT_ENTRIES, self.now - kept)

    def executions_of_removed_accounts(self) -> Batch:
        return self._delete(retention_store.EXECUTIONS_OF_REMOVED_ACCOUNTS, self.now)

    def log_of_removed_accounts(self) -> Batch:
        """Deletes from the log what these accounts left, as far as it has arrived there."""
        with transaction(self.backends.engine) as connection:
            removed = retention_store.removed_accounts(connection)
        rows = self.rows_at_once * LOG_ENTRIES_PER_EXECUTION
        return max((self.backends.logbook.forget(user_id, rows) for user_id in removed), default=0), rows

    def removed_accounts(self) -> Batch:
        return self._delete(retention_store.REMOVED_ACCOUNTS, self.now - REMOVED_ACCOUNT_KEPT)

    def versions(self) -> Batch:
        return self._delete(retention_store.UNUSED_VERSIONS, self._executions_kept)

    def mailbox_states(self) -> Batch:
        return self._delete(retention_store.ABANDONED_MAILBOX_STATES, self.now)

    def log_entries(self) -> Batch:
        rows = self.rows_at_once * LOG_ENTRIES_PER_EXECUTION
        return self.backends.logbook.prune(self._logs_kept, rows), rows

    @property
    def _executions_kept(self) -> datetime:
        return self.now - timedelta(days=self.backends.settings.execution_retention_days)

    @property
    def _logs_kept(self) -> datetime:
        return self.now - timedelta(days=self.backends.settings.log_retention_days)

    def _delete(self, statement: str, before: datetime) -> Batch:
        with transaction(self.backends.engine) as connection:
            count = retention_store.delete_older(connection, statement, before, self.rows_at_once)
        return count, self.rows_at_once


_KINDS: dict[str, Callable[[_Pruner], Batch]] = {
    "executions": _Pruner.executions,
    "events": _Pruner.events,
    "refresh tokens": _Pruner.refresh_tokens,
    "dead letters": _Pruner.dead_letters,
    "web sessions": _Pruner.web_sessions,
    "invitations": _Pruner.invitations,
    "password resets": _Pruner.password_resets,
    "days of usage": _Pruner.days_of_usage,
    "audit entries": _Pruner.audit_entries,
    "executions of removed accounts": _Pruner.executions_of_removed_accounts,
    "log entries of removed accounts": _Pruner.log_of_removed_accounts,
    "removed accounts": _Pruner.removed_accounts,
    "versions": _Pruner.versions,
    "mailbox states": _Pruner.mailbox_states,
    "log entries": _Pruner.log_entries,
}
