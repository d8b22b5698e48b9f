"""The connections and named secrets of a user, for steps that run: one statement each, when a step needs any."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, select

from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import Connection, NamedSecret
from flowforge.jsonio import JsonObject

MOST_SECRETS = 200
"""The most that one user can have."""


@dataclass(frozen=True, slots=True)
class CredentialsStore:
    engine: Engine

    def connection(self, user_id: UUID, name: str) -> tuple[str, JsonObject] | None:
        """Its type and its config, sealed; None where there is none by that name. Raises Unavailable."""
        wanted = select(Connection.type, Connection.config).where(
            Connection.user_id == user_id, Connection.name == name
        )
        with unavailable_when_down(), self.engine.connect() as connection:
            row = connection.execute(wanted).first()
        return (row[0], row[1]) if row else None

    def secrets(self, user_id: UUID) -> dict[str, str]:
        """All of them, sealed, by name. Raises Unavailable."""
        wanted = select(NamedSecret.name, NamedSecret.value).where(NamedSecret.user_id == user_id).limit(MOST_SECRETS)
        with unavailable_when_down(), self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}
