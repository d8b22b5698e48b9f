"""The connections and named secrets of a user, for steps that run: one statement each, when a step needs any."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, select

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


@dataclass(frozen=True, slots=True)
class CredentialsStore:
    engine: Engine

    def connection(self, user_id: UUID, name: str) -> StoredConnection | None:
        """None where there is none by that name. Raises Unavailable."""
        wanted = (
            select(Connection.type, Connection.config, Connection.id, *GRANT_COLUMNS)
            .outerjoin(OAuthGrant, OAuthGrant.id == Connection.id)
            .where(Connection.user_id == user_id, Connection.name == name)
        )
        with unavailable_when_down(), self.engine.connect() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        return StoredConnection(row[0], row[1], StoredGrant(*row[3:]) if row[3] else StoredGrant(row[2]))

    def secrets(self, user_id: UUID) -> dict[str, str]:
        """All of them, sealed, by name. Raises Unavailable."""
        wanted = select(NamedSecret.name, NamedSecret.value).where(NamedSecret.user_id == user_id).limit(MOST_SECRETS)
        with unavailable_when_down(), self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}
