"""Saved versions of workflows, as the engine reads them. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.field_order import restore_row
from flowforge.ids import uuid7


@dataclass(frozen=True, slots=True)
class SavedVersion:
    """A definition as it was saved; `templated` is False where `{{` has no meaning in it."""

    id: UUID
    workflow_id: UUID
    definition: Mapping[str, Any]
    templated: bool
    pins: Mapping[str, Any] | None
    """Outputs by the ids of the steps that are not run."""


def load_versions(connection: Connection, version_ids: Iterable[UUID]) -> list[SavedVersion]:
    """Returns the versions that exist."""
    rows = connection.exec_driver_sql(
        """
        SELECT id, workflow_id, definition, templated, pins, definition_order->'definition', definition_order->'pins'
        FROM workflow.workflow_versions
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": [str(id_) for id_ in version_ids]},
    )
    return [SavedVersion(*restore_row(row, 2, 4)) for row in rows]


def adopt_workflows(connection: Connection, workflow_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Gives workflows of an adopted database, which were never saved here, their first version, to be taken literally.

    Returns workflow id -> version id. Two callers at once end with the same version.
    """
    ids = [str(id_) for id_ in workflow_ids]
    connection.exec_driver_sql(
        """
        INSERT INTO workflow.workflow_versions (id, workflow_id, number, definition, templated, note)
        SELECT (n.ids->>w.id::text)::uuid, w.id, 1,
               jsonb_build_object('name', w.name, 'trigger', w.trigger_definition,
                                  'actions', COALESCE(w.actions_definition, '[]')), false, 'as found'
        FROM workflow.workflows w, (SELECT %(new)s::jsonb AS ids) n
        WHERE w.id = ANY(%(ids)s::uuid[]) AND w.version_id IS NULL
        ON CONFLICT (workflow_id, number) DO NOTHING
        """,
        {"ids": ids, "new": jsonio.dumps({id_: uuid7() for id_ in ids}).decode()},
    )
    rows = connection.exec_driver_sql(
        """
        UPDATE workflow.workflows w SET version_id = COALESCE(w.version_id, v.id)
        FROM workflow.workflow_versions v
        WHERE w.id = ANY(%(ids)s::uuid[]) AND v.workflow_id = w.id AND v.number = 1
        RETURNING w.id, w.version_id
        """,
        {"ids": ids},
    )
    return {row[0]: row[1] for row in rows}
