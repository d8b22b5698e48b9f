"""Whose executions a query finds, as a condition that leads it to the right index."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_

from flowforge.db.tables import ExecutionRow


def is_of(user_id: UUID, workflow_id: UUID | ColumnElement[UUID] | None = None) -> ColumnElement[bool]:
    """Whether an execution is of the user and, where one is given, of the workflow."""
    if workflow_id is None:
        return ExecutionRow.user_id == user_id
    # with `user_id = ...`, PostgreSQL may take an index by user, and go through all that other workflows have done
    # since this one ran last
    return and_(ExecutionRow.workflow_id == workflow_id, ExecutionRow.user_id.is_not_distinct_from(user_id))
