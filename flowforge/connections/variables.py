"""Variables: settings that are no secrets, which expressions call `{{ vars.name }}`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.connections.named_values import delete_named, require_name, require_room
from flowforge.db.tables import VariableRow
from flowforge.errors import Invalid
from flowforge.sentences import sentence

MOST_VARIABLES = 200
"""The most that one account can have."""
MOST_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class VariableView:
    name: str
    value: Any
    updated_at: datetime


def list_variables(session: Session, user_id: UUID) -> Sequence[VariableView]:
    """The variables of an account, by name."""
    mine = select(VariableRow).where(VariableRow.user_id == user_id).order_by(VariableRow.name)
    return [VariableView(row.name, jsonio.loads(row.value), row.updated_at) for row in session.scalars(mine)]


def put_variable(session: Session, user_id: UUID, name: str, value: Any) -> None:
    """Creates it or changes its value, any JSON. Commits. Raises Invalid, and Conflict where there are too many."""
    require_name(name)
    full = sentence("there are %(most)s variables already", most=MOST_VARIABLES)
    require_room(session, VariableRow, user_id, name, MOST_VARIABLES, full)
    values = {"value": _written(value), "updated_at": datetime.now(UTC)}
    row = insert(VariableRow).values(user_id=user_id, name=name, **values)
    session.execute(row.on_conflict_do_update(index_elements=["user_id", "name"], set_=values))
    record(session, Action.VARIABLE_SET, by=user_id, named=name)
    session.commit()


def delete_variable(session: Session, user_id: UUID, name: str) -> None:
    """Deletes it; steps that call it fail from now on. Commits. Raises NotFound."""
    delete_named(session, VariableRow, user_id, name, sentence("there is no such variable"))
    record(session, Action.VARIABLE_DELETED, by=user_id, named=name)
    session.commit()


def _written(value: Any) -> str:
    """Raises Invalid."""
    if value is None:
        raise Invalid.at("/value", sentence("is required"))
    try:
        jsonio.dumps_within(value, MOST_BYTES)
        return jsonio.dumps_for_database(value)
    except (jsonio.TooLarge, TypeError) as error:
        raise Invalid.at(
            "/value", sentence("must be JSON of at most %(most)s bytes", most=format(MOST_BYTES, ","))
        ) from error
