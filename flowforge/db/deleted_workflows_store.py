"""Deleted workflows: the rows that a workflow consisted of, kept as they were, so that it can be restored.

They stand in one row of a table of their own: no other query has to know of them. Secrets in them are sealed, as they
were in their own tables.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, text

_OWN_TRIGGERS = "trigger_id IN (SELECT id FROM trigger_service.trigger_registrations WHERE workflow_id = :id)"
_PARTS = {
    "workflow.workflows": "id = :id",
    "workflow.workflow_drafts": "id = :id",
    "workflow.workflow_tags": "workflow_id = :id",
    "workflow.pinned_outputs": "workflow_id = :id",
    "trigger_service.trigger_registrations": "workflow_id = :id",
    "trigger_service.former_webhook_tokens": _OWN_TRIGGERS,
    "trigger_service.poll_states": _OWN_TRIGGERS,
    "trigger_service.polled_items": _OWN_TRIGGERS,
    "trigger_service.mailbox_states": _OWN_TRIGGERS,
}
"""Tables with rows of a workflow, in the order in which they can be written, and the rows of one workflow in them.
Versions outlive their workflow anyway."""

_ROWS = ", ".join(
    f"'{table}', (SELECT coalesce(jsonb_agg(to_jsonb(part)), '[]') FROM {table} AS part WHERE {own})"  # noqa: S608
    for table, own in _PARTS.items()
)
_FORGET_MAILBOXES = text(f"DELETE FROM trigger_service.mailbox_states WHERE {_OWN_TRIGGERS}")  # noqa: S608
_KEEP = text(f"""
    INSERT INTO workflow.deleted_workflows (id, user_id, name, kept)
    SELECT id, user_id, name, jsonb_build_object({_ROWS}) FROM workflow.workflows WHERE id = :id
""")  # noqa: S608  (names of ours)

_KEPT_COLUMNS = text("""
    SELECT quote_ident(attname)
      FROM pg_attribute, workflow.deleted_workflows AS deleted
     WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped
       AND deleted.id = :id AND jsonb_exists(deleted.kept -> :table -> 0, attname)
""")
"""Columns that the table has and had: those that came to it meanwhile get their defaults."""


def keep(connection: Connection, workflow_id: UUID) -> None:
    """Keep what the workflow consists of; the caller deletes it, in the same transaction."""
    connection.execute(_KEEP, {"id": workflow_id})
    connection.execute(_FORGET_MAILBOXES, {"id": workflow_id})


def restore(connection: Connection, workflow_id: UUID) -> None:
    """Write back what was kept, and forget it."""
    for table in _PARTS:
        _write_back(connection, workflow_id, table)
    connection.execute(text("DELETE FROM workflow.deleted_workflows WHERE id = :id"), {"id": workflow_id})


def _write_back(connection: Connection, workflow_id: UUID, table: str) -> None:
    columns = connection.scalars(_KEPT_COLUMNS, {"id": workflow_id, "table": table}).all()
    if not columns:
        return
    names, values = ", ".join(columns), ", ".join(f"part.{column}" for column in columns)
    connection.execute(
        text(f"""
            INSERT INTO {table} ({names})
            SELECT {values}
              FROM workflow.deleted_workflows AS deleted,
                   jsonb_populate_recordset(NULL::{table}, deleted.kept -> '{table}') AS part
             WHERE deleted.id = :id
        """),  # noqa: S608  (names of ours)
        {"id": workflow_id},
    )
