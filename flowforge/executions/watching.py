"""Executions that people watch live: how far each is, and whether its viewers may go on watching."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, select

from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import ExecutionRow, User
from flowforge.execution.state import Status


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched execution, and the epoch of its owner's credentials; None for what does not exist."""

    status: Status | None
    epoch: int | None


_DELETED = Watched(None, None)


def look_at(engine: Engine, execution_ids: Collection[UUID]) -> Mapping[UUID, Watched]:
    """Look at watched executions in one statement. Raises Unavailable."""
    wanted = (
        select(ExecutionRow.id, ExecutionRow.status, User.credentials_epoch)
        .join(User, User.id == ExecutionRow.user_id, isouter=True)
        .where(ExecutionRow.id.in_(execution_ids))
    )
    with unavailable_when_down(), engine.connect() as connection:
        found = {id_: Watched(Status(status), epoch) for id_, status, epoch in connection.execute(wanted)}
    return {id_: found.get(id_, _DELETED) for id_ in execution_ids}
