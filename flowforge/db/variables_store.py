"""Variables of accounts, for whoever computes expressions: one statement, where any are called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from flowforge import jsonio
from flowforge.db.tables import VariableRow, Workflow

Values = Mapping[str, Any]
"""Values by name."""
NO_VALUES: Values = {}


def load(connection: Connection, user_ids: Collection[UUID]) -> dict[UUID, Values]:
    """The variables of accounts, by account; those without any are left out. Without accounts, no statement."""
    if not user_ids:
        return {}
    rows = connection.execute(
        select(VariableRow.user_id, VariableRow.name, VariableRow.value).where(VariableRow.user_id.in_(user_ids))
    )
    found: dict[UUID, dict[str, Any]] = {}
    for user_id, name, value in rows:
        found.setdefault(user_id, {})[name] = jsonio.loads(value)
    return dict(found)


def of_workflow(connection: Connection, workflow_id: UUID) -> Values:
    """The variables that a workflow's expressions see: those of its owner."""
    mine = select(VariableRow.name, VariableRow.value).join(Workflow, Workflow.user_id == VariableRow.user_id)
    rows = connection.execute(mine.where(Workflow.id == workflow_id))
    return {name: jsonio.loads(value) for name, value in rows}
