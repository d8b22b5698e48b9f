"""The connections and named secrets of a user, for steps that run: one statement each, when a step needs any."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, or_, select, update

from flowforge.db.engine import unavailable_when_down
from flowforge.db.oauth_grants_store import GRANT_COLUMNS, StoredGrant
from flowforge.db.tables import Connection, NamedSecret, OAuthGrant
from flowforge.jsonio import JsonObject

MOST_SECRETS = 200
"""The most that one user can have."""


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection as it is saved, its secrets sealed, and its tokens; these are none where nobody has signed in."""

    type: str
    config: JsonObject
    grant: StoredGrant
    id: UUID
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class CredentialsStore:
    engine: Engine

    def connection(self, user_id: UUID, name: str) -> StoredConnection | None:
        """None where there is none by that name. Raises Unavailable."""
        wanted = (
            select(Connection.type, Connection.config, Connection.id, Connection.paused_until, *GRANT_COLUMNS)
            .outerjoin(OAuthGrant, OAuthGrant.id == Connection.id)
            .where(Connection.user_id == user_id, Connection.name == name)
        )
        with unavailable_when_down(), self.engine.connect() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        type_, config, id_, paused_until, *grant = row
        return StoredConnection(type_, config, StoredGrant(*grant) if grant[0] else StoredGrant(id_), id_, paused_until)

    def pause(self, connection_id: UUID, until: datetime) -> None:
        """Lets no step use it before that time. Raises Unavailable."""
        later = or_(Connection.paused_until.is_(None), Connection.paused_until < until)
        paused = update(Connection).where(Connection.id == connection_id, later).values(paused_until=until)
        with unavailable_when_down(), self.engine.begin() as connection:
            connection.execute(paused)

    def secrets(self, user_id: UUID) -> dict[str, str]:
        """All of them, sealed, by name. Raises Unavailable."""
        wanted = select(NamedSecret.name, NamedSecret.value).where(NamedSecret.user_id == user_id).limit(MOST_SECRETS)
        with unavailable_when_down(), self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}
