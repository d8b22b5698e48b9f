"""Executions that people watch live: how far each is, and whether its viewers may go on watching."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import ExecutionRow, User
from flowforge.execution.state import Status


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched execution, and the epoch of its owner's credentials; None for what does not exist."""

    status: Status | None
    epoch: int | None


_DELETED = Watched(None, None)


def look_at(
    engine: Engine, execution_ids: Collection[UUID], credentials: Collection[UUID]
) -> tuple[Mapping[UUID, Watched], Collection[UUID]]:
    """Look at watched executions, and at the sessions and personal access tokens of their viewers: the ids of those
    that have ended come second. One statement each. Raises Unavailable."""
    wanted = (
        select(ExecutionRow.id, ExecutionRow.status, User.credentials_epoch)
        .join(User, User.id == ExecutionRow.user_id, isouter=True)
        .where(ExecutionRow.id.in_(execution_ids))
    )
    with unavailable_when_down(), engine.connect() as connection:
        found = {id_: Watched(Status(status), epoch) for id_, status, epoch in connection.execute(wanted)}
        ended = _ended(connection, credentials) if credentials else set()
    return {id_: found.get(id_, _DELETED) for id_ in execution_ids}, ended


def _ended(connection: Connection, credentials: Collection[UUID]) -> Collection[UUID]:
    """Those that are no session of a browser or a client, nor a personal access token, any more."""
    rows = connection.exec_driver_sql(
        """
        SELECT c.id FROM unnest(%(ids)s::uuid[]) AS c(id)
        WHERE NOT EXISTS (SELECT FROM auth.web_sessions w WHERE w.id = c.id)
          AND NOT EXISTS (SELECT FROM auth.access_tokens t
                          WHERE t.id = c.id AND (t.expires_at IS NULL OR t.expires_at > now()))
          AND NOT EXISTS (SELECT FROM auth.refresh_tokens r WHERE r.family_id = c.id AND r.revoked_at IS NULL)
        """,
        {"ids": [str(id_) for id_ in credentials]},
    )
    return {row[0] for row in rows}
