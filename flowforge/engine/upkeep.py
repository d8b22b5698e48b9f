"""Upkeep: sending again what is owed, and deleting what is older than the settings keep."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import text

from flowforge.db.engine import unavailable_when_down
from flowforge.engine import redelivery
from flowforge.engine.log_repair.lost_messages import write_lost_messages
from flowforge.engine.log_repair.unpublished_messages import SETTLED_SECONDS, write_unpublished_messages
from flowforge.wiring import Backends

ROWS_AT_ONCE = 1000
SECONDS_PER_RUN = 60
EXPIRED_TOKEN_KEPT = timedelta(days=7)
FORGOTTEN_SESSION_KEPT = timedelta(days=90)
"""Longer than a cookie lives."""

log = logging.getLogger(__name__)

_FINISHED_EXECUTIONS = """
    DELETE FROM orchestrator.workflow_executions WHERE id IN (
        SELECT id FROM orchestrator.workflow_executions WHERE finished_at < :before LIMIT :rows)
"""
_HANDLED_EVENTS = """
    DELETE FROM trigger_service.trigger_events WHERE id IN (
        SELECT id FROM trigger_service.trigger_events
         WHERE created_at < :before AND handled_at IS NOT NULL LIMIT :rows)
"""
_EXPIRED_TOKENS = """
    DELETE FROM auth.refresh_tokens WHERE id IN (
        SELECT id FROM auth.refresh_tokens WHERE expires_at < :before LIMIT :rows)
"""
_FORGOTTEN_SESSIONS = """
    DELETE FROM auth.web_sessions WHERE id IN (
        SELECT id FROM auth.web_sessions WHERE last_seen_at < :before LIMIT :rows)
"""
_DEAD_LETTERS = """
    DELETE FROM orchestrator.dead_letters WHERE id IN (
        SELECT id FROM orchestrator.dead_letters WHERE created_at < :before LIMIT :rows)
"""
_VERSIONS_OF_NOTHING = """
    DELETE FROM workflow.workflow_versions WHERE id IN (
        SELECT version.id FROM workflow.workflow_versions AS version
         WHERE version.created_at < :before
           AND (version.number IS NULL
                OR NOT EXISTS (SELECT FROM workflow.workflows AS w WHERE w.id = version.workflow_id))
           AND NOT EXISTS (SELECT FROM workflow.workflow_drafts AS draft WHERE draft.run_version_id = version.id)
           AND NOT EXISTS (SELECT FROM orchestrator.workflow_executions AS x
                            WHERE x.workflow_id = version.workflow_id AND x.version_id = version.id)
         LIMIT :rows)
"""
"""Of drafts as they were run by hand, and of workflows that were deleted, once the executions are gone."""
_FORGOTTEN_MAILBOXES = """
    DELETE FROM trigger_service.mailbox_states WHERE trigger_id IN (
        SELECT state.trigger_id FROM trigger_service.mailbox_states AS state
         WHERE state.updated_at < :before AND NOT EXISTS (
               SELECT FROM trigger_service.trigger_registrations AS trigger WHERE trigger.id = state.trigger_id)
         LIMIT :rows)
"""


def resend(backends: Backends, settled: float = SETTLED_SECONDS) -> None:
    """Send again what PostgreSQL shows as owed (invariant 3), write what the log has lost. Raises Unavailable.

    An execution that ended less than `settled` seconds ago may still have lines of its log on their way.
    """
    write_lost_messages(backends)
    resent = redelivery.resend(backends)
    if resent != redelivery.Redelivered():
        log.warning("Sent again what was owed: %s", resent)
    write_unpublished_messages(backends, settled)


def prune(
    backends: Backends,
    now: datetime | None = None,
    seconds: float = SECONDS_PER_RUN,
    rows_at_once: int = ROWS_AT_ONCE,
) -> dict[str, int]:
    """Delete what is too old, `rows_at_once` in a transaction; returns how many rows of each kind.

    What is left after `seconds` waits for the next run. Raises Unavailable.
    """
    moment = now or datetime.now(UTC)
    settings = backends.settings
    kept_logs = moment - timedelta(days=settings.log_retention_days)
    kept_executions = moment - timedelta(days=settings.execution_retention_days)
    delete = partial(_delete, backends, rows_at_once, time.monotonic() + seconds)
    deleted = {
        "executions": delete(_FINISHED_EXECUTIONS, kept_executions),
        "events": delete(_HANDLED_EVENTS, kept_executions),
        "refresh tokens": delete(_EXPIRED_TOKENS, moment - EXPIRED_TOKEN_KEPT),
        "dead letters": delete(_DEAD_LETTERS, kept_logs),
        "web sessions": delete(_FORGOTTEN_SESSIONS, moment - FORGOTTEN_SESSION_KEPT),
        "versions": delete(_VERSIONS_OF_NOTHING, kept_executions),
        "mailbox states": delete(_FORGOTTEN_MAILBOXES, moment),
        "log entries": backends.logbook.prune(kept_logs),
    }
    if any(deleted.values()):
        log.info("Deleted what is too old: %s", ", ".join(f"{count} {kind}" for kind, count in deleted.items()))
    return deleted


def _delete(backends: Backends, rows_at_once: int, deadline: float, statement: str, before: datetime) -> int:
    total = 0
    while time.monotonic() < deadline:
        with unavailable_when_down(), backends.engine.begin() as connection:
            count = connection.execute(text(statement), {"before": before, "rows": rows_at_once}).rowcount
        total += count
        if count < rows_at_once:
            break
    return total
