"""Deleting what is older than it is kept: a kind of row each, a bounded number of rows a statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select, text

from flowforge.db.data_tables_store import REMEMBERED_BYTES
from flowforge.db.tables import Adoption, ExecutionRow

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
EXPIRED_TABLE_ROWS = """
    WITH old AS (
        SELECT table_id, id FROM data_tables.rows WHERE expires_at < :before ORDER BY expires_at LIMIT :rows
    ), locked AS (
        SELECT id FROM data_tables.tables WHERE id IN (SELECT table_id FROM old) ORDER BY id FOR NO KEY UPDATE
    ), gone AS (
        DELETE FROM data_tables.rows r USING old, locked
         WHERE r.table_id = old.table_id AND r.id = old.id AND r.table_id = locked.id AND r.expires_at < :before
        RETURNING r.table_id, r.size
    ), freed AS (SELECT table_id, count(*) AS rows, sum(size) AS bytes FROM gone GROUP BY table_id
    ), counted AS (
        UPDATE data_tables.tables t SET row_count = t.row_count - f.rows, bytes = t.bytes - f.bytes
          FROM freed f WHERE t.id = f.table_id AND t.deleted_at IS NULL
        RETURNING t.user_id, f.rows, f.bytes
    ), together AS (SELECT user_id, sum(rows) AS rows, sum(bytes) AS bytes FROM counted GROUP BY user_id
    ), paid AS (
        UPDATE auth.users u SET table_rows = greatest(0, u.table_rows - s.rows),
               table_bytes = greatest(0, u.table_bytes - s.bytes)
          FROM together s WHERE u.id = s.user_id
    )
    SELECT table_id FROM gone
"""
"""Tables are locked before their rows, as by whoever writes."""
ROWS_OF_DELETED_TABLES = """
    DELETE FROM data_tables.rows WHERE (table_id, id) IN (
        SELECT r.table_id, r.id FROM data_tables.tables AS t JOIN data_tables.rows AS r ON r.table_id = t.id
         WHERE t.deleted_at < :before LIMIT :rows)
"""
DELETED_TABLES = """
    DELETE FROM data_tables.tables WHERE id IN (
        SELECT t.id FROM data_tables.tables AS t
         WHERE t.deleted_at < :before AND NOT EXISTS (SELECT FROM data_tables.rows AS r WHERE r.table_id = t.id)
         LIMIT :rows)
"""
WRITES_OF_ENDED_EXECUTIONS = """
    DELETE FROM data_tables.writes WHERE (execution_id, call) IN (
        SELECT w.execution_id, w.call FROM data_tables.writes AS w
         WHERE w.created_at < :before AND NOT EXISTS (
               SELECT FROM orchestrator.workflow_executions AS x
                WHERE x.id = w.execution_id AND x.finished_at IS NULL)
         LIMIT :rows)
"""
FORGOTTEN_KEYS = f"""
    WITH gone AS (
        DELETE FROM data_tables.remembered WHERE (user_id, scope, digest) IN (
            SELECT user_id, scope, digest FROM data_tables.remembered WHERE expires_at < :before LIMIT :rows
               FOR UPDATE SKIP LOCKED)
        RETURNING user_id
    ), freed AS (SELECT user_id, count(*) AS rows FROM gone GROUP BY user_id
    ), paid AS (
        UPDATE auth.users u SET table_rows = greatest(0, u.table_rows - f.rows),
               table_bytes = greatest(0, u.table_bytes - f.rows * {REMEMBERED_BYTES})
          FROM freed f WHERE u.id = f.user_id
    )
    SELECT user_id FROM gone
"""  # noqa: S608  (a number of ours)
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
           AND NOT EXISTS (SELECT FROM workflow.deleted_workflows AS deleted WHERE deleted.id = version.workflow_id)
           AND NOT EXISTS (SELECT FROM workflow.workflow_drafts AS draft WHERE draft.run_version_id = version.id)
           AND NOT EXISTS (SELECT FROM orchestrator.workflow_executions AS x
                            WHERE x.workflow_id = version.workflow_id AND x.version_id = version.id)
         LIMIT :rows)
"""
"""Versions of drafts that were run by hand, and of deleted workflows, once their executions are gone."""
DELETED_WORKFLOWS = """
    DELETE FROM workflow.deleted_workflows WHERE id IN (
        SELECT id FROM workflow.deleted_workflows WHERE deleted_at < :before LIMIT :rows)
"""
ABANDONED_MAILBOX_STATES = """
    DELETE FROM trigger_service.mailbox_states WHERE trigger_id IN (
        SELECT state.trigger_id FROM trigger_service.mailbox_states AS state
         WHERE state.updated_at < :before AND NOT EXISTS (
               SELECT FROM trigger_service.trigger_registrations AS trigger WHERE trigger.id = state.trigger_id)
         LIMIT :rows)
"""


_PAST_OWN_RETENTION = """
    WITH with_retention AS (
        SELECT id, settings -> 'retentionDays' AS days FROM workflow.workflows WHERE settings ? 'retentionDays'
        UNION ALL
        SELECT id, kept #> '{workflow.workflows,0,settings,retentionDays}' FROM workflow.deleted_workflows
    ), limited AS (
        SELECT id, CAST(:now AS timestamptz) - CAST(days AS integer) * interval '1 day' AS before
          FROM with_retention WHERE jsonb_typeof(days) = 'number'
    )
    SELECT past.id, past.user_id, past.event_id
      FROM limited CROSS JOIN LATERAL (
        SELECT x.id, x.user_id, x.event_id FROM orchestrator.workflow_executions AS x
         WHERE x.workflow_id = limited.id AND x.created_at < limited.before AND x.finished_at < limited.before
         ORDER BY x.created_at LIMIT :rows) AS past
     WHERE limited.before >= coalesce(CAST(:adopted_at AS timestamptz), '-infinity')
     LIMIT :rows
"""
"""What began before the time also ended before it, but for the few that took long: the index by workflow and beginning
finds them, whatever else there is."""


@dataclass(frozen=True, slots=True)
class PastExecution:
    """An execution that is older than its workflow keeps it."""

    id: UUID
    user_id: UUID
    event_id: UUID | None


def past_own_retention(connection: Connection, now: datetime, limit: int) -> list[PastExecution]:
    """Finds ended executions that are older than the settings of their workflows keep them, at most `limit`. Where
    executions were adopted, their age counts from the adoption."""
    values = {"now": now, "rows": limit, "adopted_at": adopted_at(connection)}
    return [PastExecution(*row) for row in connection.execute(text(_PAST_OWN_RETENTION), values)]


def delete_executions(connection: Connection, execution_ids: Sequence[UUID]) -> int:
    """Returns how many were still there."""
    return connection.execute(delete(ExecutionRow).where(ExecutionRow.id.in_(execution_ids))).rowcount


def adopted_at(connection: Connection) -> datetime | None:
    """Returns when executions of the originals were adopted; None where none were."""
    return connection.scalar(select(Adoption.adopted_at))


def delete_older(connection: Connection, statement: str, before: datetime, limit: int) -> int:
    """Runs one of the statements above; returns how many rows were deleted, at most `limit`."""
    return connection.execute(text(statement), {"before": before, "rows": limit}).rowcount


def removed_accounts(connection: Connection) -> list[UUID]:
    """The accounts that were deleted, and may have left something."""
    return list(connection.scalars(text("SELECT user_id FROM auth.removed_accounts")))
