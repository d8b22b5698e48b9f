"""The workflows that accounts have chosen for the errors of those of their workflows that name none of their own."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection


def of_accounts(connection: Connection, user_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Find the error workflows of accounts, by account; those that are gone, disabled or somebody else's are left
    out."""
    rows = connection.exec_driver_sql(
        """
        SELECT u.id, w.id FROM auth.users u JOIN workflow.workflows w ON w.id = u.error_workflow_id AND w.user_id = u.id
        WHERE u.id = ANY(%(ids)s::uuid[]) AND w.enabled
        """,
        {"ids": [str(id_) for id_ in user_ids]},
    )
    return {row[0]: row[1] for row in rows}
