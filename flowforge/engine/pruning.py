"""Deletion of what is older than the settings keep, a bounded number of rows at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from flowforge.db import retention_store
from flowforge.db.engine import transaction
from flowforge.engine import own_retention
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.wiring import Backends

ROWS_AT_ONCE = 1000
LOG_ENTRIES_PER_EXECUTION = 10
"""About as many; so many times more of them are deleted at once, so that the log keeps up with the executions."""
SECONDS_PER_RUN = 60
EXPIRED_TOKEN_KEPT = timedelta(days=7)
REMOVED_ACCOUNT_KEPT = timedelta(days=1)
"""Until then lines of its log may still be on their way."""
UNREFERENCED_KEPT = timedelta(days=1)
"""Contents of files that nothing refers to: until then they may still be being written, or copied to a backup whose
database is a little older."""
REPEATS_KNOWN = timedelta(days=2)
"""Events at least so new are kept, by which a call is known that comes again: a signature is good for at most a day
before and a day after the time that is signed."""
ANSWERS_KEPT = timedelta(days=1)
"""Answers to steps that changed a table: an executor may still be about to run one again."""
DELETED_WORKFLOWS_KEPT = timedelta(days=7)
"""Until then they can be restored."""
_CONTENTS_AT_ONCE = 100
USAGE_SHOWN = timedelta(days=8)
"""Days whose executions are shown, however short these are kept."""
ABANDONED_SESSION_KEPT = timedelta(days=90)
"""Longer than a cookie lives."""

log = logging.getLogger(__name__)


def prune(
    backends: Backends,
    now: datetime | None = None,
    seconds: float = SECONDS_PER_RUN,
    rows_at_once: int = ROWS_AT_ONCE,
) -> dict[str, int]:
    """Deletes what is too old, a bounded number of rows in a transaction; returns how many rows of each kind.

    The kinds take turns, so that none grows while there is too much of another. The age of executions counts from the
    adoption, where the originals left some. A kind that cannot be deleted is logged, and holds up no other. What is
    left after `seconds` waits for the next run.
    """
    deletions = _deletions(backends, now or datetime.now(UTC), rows_at_once)
    deleted = dict.fromkeys(deletions, 0)
    pending, deadline = list(deletions), time.monotonic() + seconds
    while pending and time.monotonic() < deadline:
        for kind in tuple(pending):
            count = _delete_or_log(kind, deletions[kind])
            deleted[kind] += count
            if count < deletions[kind].most:
                pending.remove(kind)
    if any(deleted.values()):
        log.info("Deleted what is too old: %s", ", ".join(f"{count} {kind}" for kind, count in deleted.items()))
    return deleted


@dataclass(frozen=True, slots=True)
class _Deletion:
    """Deletion of one kind of row: each call deletes at most so many, and returns how many."""

    delete: Callable[[], int]
    most: int


def _delete_or_log(kind: str, deletion: _Deletion) -> int:
    """Returns 0 where it failed, as if nothing were left: the next run tries again."""
    try:
        return deletion.delete()
    except (Unavailable, TooMuchAtOnce) as error:
        log.warning("No %s are deleted for now: %s", kind, error)
    except Exception:
        log.exception("No %s can be deleted", kind)
    return 0


def _deletions(backends: Backends, now: datetime, rows: int) -> dict[str, _Deletion]:
    """All kinds, in the order of their turns."""
    settings = backends.settings
    executions_kept = now - timedelta(days=settings.execution_retention_days)
    logs_kept = now - timedelta(days=settings.log_retention_days)
    audit_kept = now - timedelta(days=settings.audit_retention_days)
    log_rows = rows * LOG_ENTRIES_PER_EXECUTION

    def older(statement: str, than: datetime) -> _Deletion:
        return _Deletion(partial(_delete_older, backends, statement, than, rows), rows)

    return {
        "executions": _Deletion(partial(_delete_executions, backends, executions_kept, rows), rows),
        "executions of workflows with a retention of their own": _Deletion(
            partial(own_retention.delete_past, backends, now, rows), rows
        ),
        "events": older(retention_store.HANDLED_EVENTS, min(executions_kept, now - REPEATS_KNOWN)),
        "parts of ended steps": older(retention_store.PARTS_OF_ENDED_STEPS, now),
        "rows of tables that have expired": older(retention_store.EXPIRED_TABLE_ROWS, now),
        "rows of deleted tables": older(retention_store.ROWS_OF_DELETED_TABLES, now),
        "deleted tables": older(retention_store.DELETED_TABLES, now),
        "answers to changes of tables": older(retention_store.WRITES_OF_ENDED_EXECUTIONS, now - ANSWERS_KEPT),
        "keys that are forgotten": older(retention_store.FORGOTTEN_KEYS, now),
        "refresh tokens": older(retention_store.EXPIRED_REFRESH_TOKENS, now - EXPIRED_TOKEN_KEPT),
        "dead letters": older(retention_store.DEAD_LETTERS, logs_kept),
        "web sessions": older(retention_store.ABANDONED_SESSIONS, now - ABANDONED_SESSION_KEPT),
        "deleted workflows": older(retention_store.DELETED_WORKFLOWS, now - DELETED_WORKFLOWS_KEPT),
        "invitations": older(retention_store.EXPIRED_INVITATIONS, now),
        "password resets": older(retention_store.EXPIRED_RESET_LINKS, now),
        "days of usage": older(retention_store.DAILY_USAGE, executions_kept - USAGE_SHOWN),
        "audit entries": older(retention_store.AUDIT_ENTRIES, audit_kept),
        "executions of removed accounts": older(retention_store.EXECUTIONS_OF_REMOVED_ACCOUNTS, now),
        "log entries of removed accounts": _Deletion(partial(_forget_removed, backends, log_rows), log_rows),
        "files": _Deletion(partial(backends.files.delete_unused, executions_kept, rows), rows),
        "files of removed accounts": _Deletion(partial(backends.files.delete_of_removed_accounts, now, rows), rows),
        "contents of files": _Deletion(
            partial(backends.files.delete_unreferenced, now - UNREFERENCED_KEPT, _CONTENTS_AT_ONCE), _CONTENTS_AT_ONCE
        ),
        "removed accounts": older(retention_store.REMOVED_ACCOUNTS, now - REMOVED_ACCOUNT_KEPT),
        "versions": older(retention_store.UNUSED_VERSIONS, executions_kept),
        "mailbox states": older(retention_store.ABANDONED_MAILBOX_STATES, now),
        "log entries": _Deletion(partial(backends.logbook.prune, logs_kept, log_rows), log_rows),
    }


def _delete_older(backends: Backends, statement: str, than: datetime, rows: int) -> int:
    with transaction(backends.engine) as connection:
        return retention_store.delete_older(connection, statement, than, rows)


def _delete_executions(backends: Backends, before: datetime, rows: int) -> int:
    """Deletes none as long as all that ended before that time were adopted: theirs ended before the adoption, ours
    after it."""
    with transaction(backends.engine) as connection:
        adopted_at = retention_store.adopted_at(connection)
    if adopted_at is not None and before < adopted_at:
        return 0
    return _delete_older(backends, retention_store.FINISHED_EXECUTIONS, before, rows)


def _forget_removed(backends: Backends, rows: int) -> int:
    """Deletes from the log what removed accounts left, as far as it has arrived there."""
    with transaction(backends.engine) as connection:
        removed = retention_store.removed_accounts(connection)
    return max((backends.logbook.forget(user_id, rows) for user_id in removed), default=0)
