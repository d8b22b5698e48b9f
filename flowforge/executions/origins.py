"""What started the executions of a list, and the field of their payload that their workflow shows there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, and_, bindparam, cast, func, select
from sqlalchemy.orm import Session, aliased

from flowforge.db.tables import ExecutionRow, Workflow, WorkflowVersion

LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """What an execution came from. Names are None where the workflow is gone."""

    workflow_name: str | None
    shown: str | None
    """The value of the field that the workflow shows, its first LONGEST_VALUE characters; None where there is none."""
    is_test: bool
    """Whether it ran a draft, or what is pinned."""
    replay_of: UUID | None
    called_by: UUID | None
    """The execution whose step called the workflow."""
    caller_name: str | None


def find_origins(session: Session, user_id: UUID, execution_ids: Sequence[UUID]) -> Mapping[UUID, Origin]:
    """Find where the user's executions came from, in one statement that reads no more than their own rows."""
    if not execution_ids:
        return {}
    found = session.execute(_statement(), {"user_id": user_id, "ids": list(execution_ids)})
    return {id_: Origin(*values) for id_, *values in found}


@cache
def _statement() -> Select[Any]:
    """Built once: making the aliases takes longer than PostgreSQL needs for the rows."""
    row, workflow, version = ExecutionRow, aliased(Workflow), aliased(WorkflowVersion)
    caller, calling = aliased(ExecutionRow), aliased(Workflow)
    user_id, ids = bindparam("user_id", type_=Uuid()), bindparam("ids", expanding=True, type_=Uuid())
    value = row.trigger_payload.op("#>>")(func.string_to_array(workflow.list_field, "."))
    return (
        select(
            row.id,
            workflow.name,
            func.left(cast(value, Text), LONGEST_VALUE),
            and_(version.id.is_not(None), version.number.is_(None)),
            row.replay_of,
            row.parent_execution_id,
            calling.name,
        )
        .outerjoin(workflow, and_(workflow.id == row.workflow_id, workflow.user_id == user_id))
        .outerjoin(version, version.id == row.version_id)
        .outerjoin(caller, and_(caller.id == row.parent_execution_id, caller.user_id == user_id))
        .outerjoin(calling, and_(calling.id == caller.workflow_id, calling.user_id == user_id))
        .where(row.user_id == user_id, row.id.in_(ids))
    )
