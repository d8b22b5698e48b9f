"""Deleting what is older than it is kept: a kind of row each, a bounded number of rows a statement."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, text

from flowforge.db.tables import Adoption

FINISHED_EXECUTIONS = """
    DELETE FROM orchestrator.workflow_executions WHERE id IN (
        SELECT id FROM orchestrator.workflow_executions WHERE finished_at < :before LIMIT :rows)
"""
HANDLED_EVENTS = """
    DELETE FROM trigger_service.trigger_events WHERE id IN (
        SELECT id FROM trigger_service.trigger_events
         WHERE created_at < :before AND handled_at IS NOT NULL LIMIT :rows)
"""
PARTS_OF_ENDED_STEPS = """
    DELETE FROM orchestrator.step_parts WHERE (execution_id, step_index, iteration, number) IN (
        SELECT part.execution_id, part.step_index, part.iteration, part.number
          FROM orchestrator.step_parts AS part JOIN orchestrator.workflow_executions AS x ON x.id = part.execution_id
         WHERE x.finished_at < :before LIMIT :rows)
"""
EXPIRED_REFRESH_TOKENS = """
    DELETE FROM auth.refresh_tokens WHERE id IN (
        SELECT id FROM auth.refresh_tokens WHERE expires_at < :before LIMIT :rows)
"""
ABANDONED_SESSIONS = """
    DELETE FROM auth.web_sessions WHERE id IN (
        SELECT id FROM auth.web_sessions WHERE last_seen_at < :before LIMIT :rows)
"""
EXPIRED_INVITATIONS = """
    DELETE FROM auth.invitations WHERE id IN (
        SELECT id FROM auth.invitations WHERE expires_at < :before LIMIT :rows)
"""
EXPIRED_RESET_LINKS = """
    DELETE FROM auth.password_resets WHERE id IN (
        SELECT id FROM auth.password_resets WHERE expires_at < :before LIMIT :rows)
"""
DAILY_USAGE = """
    DELETE FROM auth.daily_usage WHERE (user_id, day) IN (
        SELECT user_id, day FROM auth.daily_usage WHERE day < CAST(:before AS timestamptz)::date LIMIT :rows)
"""
AUDIT_ENTRIES = """
    SET LOCAL flowforge.deleting = 'expired audit entries';
    DELETE FROM auth.audit_log WHERE id IN (
        SELECT id FROM auth.audit_log WHERE occurred_at < :before LIMIT :rows)
"""
"""The table's trigger refuses any other deletion."""
EXECUTIONS_OF_REMOVED_ACCOUNTS = """
    WITH gone AS (
        SELECT id, event_id FROM orchestrator.workflow_executions
         WHERE user_id IN (SELECT user_id FROM auth.removed_accounts WHERE removed_at < :before) LIMIT :rows
    ), events AS (
        DELETE FROM trigger_service.trigger_events WHERE id IN (SELECT event_id FROM gone)
    )
    DELETE FROM orchestrator.workflow_executions WHERE id IN (SELECT id FROM gone)
"""
REMOVED_ACCOUNTS = """
    DELETE FROM auth.removed_accounts WHERE user_id IN (
        SELECT removed.user_id FROM auth.removed_accounts AS removed
         WHERE removed.removed_at < :before
           AND NOT EXISTS (SELECT FROM orchestrator.workflow_executions AS x WHERE x.user_id = removed.user_id)
           AND NOT EXISTS (SELECT FROM files.files AS f WHERE f.user_id = removed.user_id)
         LIMIT :rows)
"""
DEAD_LETTERS = """
    DELETE FROM orchestrator.dead_letters WHERE id IN (
        SELECT id FROM orchestrator.dead_letters WHERE created_at < :before LIMIT :rows)
"""
UNUSED_VERSIONS = """
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
"""Versions of drafts that were run by hand, and of deleted workflows, once their executions are gone."""
ABANDONED_MAILBOX_STATES = """
    DELETE FROM trigger_service.mailbox_states WHERE trigger_id IN (
        SELECT state.trigger_id FROM trigger_service.mailbox_states AS state
         WHERE state.updated_at < :before AND NOT EXISTS (
               SELECT FROM trigger_service.trigger_registrations AS trigger WHERE trigger.id = state.trigger_id)
         LIMIT :rows)
"""


def adopted_at(connection: Connection) -> datetime | None:
    """Returns when executions of the originals were adopted; None where none were."""
    return connection.scalar(select(Adoption.adopted_at))


def delete_older(connection: Connection, statement: str, before: datetime, limit: int) -> int:
    """Runs one of the statements above; returns how many rows were deleted, at most `limit`."""
    return connection.execute(text(statement), {"before": before, "rows": limit}).rowcount


def removed_accounts(connection: Connection) -> list[UUID]:
    """The accounts that were deleted, and may have left something."""
    return list(connection.scalars(text("SELECT user_id FROM auth.removed_accounts")))
