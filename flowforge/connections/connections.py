"""Connections: credentials and settings that several steps share, created once and called by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flowforge.connections.trial import try_out
from flowforge.connections.validation import filled_in, problems_of_config, problems_of_kind, problems_of_name
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import ConnectionKind
from flowforge.db.tables import Connection
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.secrets import Vault, mask_fields, seal_fields
from flowforge.wiring import Backends
from flowforge.workflows.connection_uses import Use, connection_uses

MOST = 200
"""Connections of one user."""
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as people may see it: its secrets are masked."""

    id: UUID
    name: str
    type: str
    config: JsonObject
    tested_at: datetime | None
    problem: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Connections:
    """The operations, with what they need besides the session."""

    catalog: Catalog
    vault: Vault

    def all(self, session: Session, user_id: UUID) -> Sequence[Connection]:
        """All connections of a user, sorted by name."""
        mine = select(Connection).where(Connection.user_id == user_id)
        return session.scalars(mine.order_by(Connection.name).limit(MOST)).all()

    def get(self, session: Session, user_id: UUID, connection_id: UUID) -> Connection:
        """Raises NotFound."""
        mine = select(Connection).where(Connection.user_id == user_id, Connection.id == connection_id)
        row = session.scalar(mine)
        if row is None:
            raise NotFound("there is no such connection")
        return row

    def create(self, session: Session, user_id: UUID, raw: Mapping[str, Any]) -> Connection:
        """`raw`: name, type and config. Commits. Raises Invalid, and Conflict for a name that is taken."""
        name, type_, config = raw.get("name"), raw.get("type"), raw.get("config", {})
        kinds = self.catalog.connection_kinds
        problems = [*problems_of_name(name), *problems_of_kind(type_, kinds)]
        problems += problems_of_config(None if problems_of_kind(type_, kinds) else kinds[str(type_)], config, None)
        if problems:
            raise Invalid(problems)
        self._require_room(session, user_id)
        row = Connection(id=uuid7(), user_id=user_id, name=name, type=type_)
        row.config = self._sealed(kinds[str(type_)], config, None)
        session.add(row)
        self._commit(session)
        return row

    def update(self, session: Session, user_id: UUID, connection_id: UUID, raw: Mapping[str, Any]) -> Connection:
        """`raw`: a new config, in which masks keep what is stored; the name stays, for steps call it by that. Commits.
        Raises NotFound, Invalid."""
        row = self.get(session, user_id, connection_id)
        kind, config = self._kind(row.type), raw.get("config", {})
        problems = problems_of_config(kind, config, row.config)
        if problems:
            raise Invalid(problems)
        row.config = self._sealed(kind, config, row.config)
        row.updated_at, row.tested_at, row.problem = datetime.now(UTC), None, None
        self._commit(session)
        return row

    def delete(self, session: Session, user_id: UUID, connection_id: UUID, *, force: bool = False) -> None:
        """Deletes it and commits. Raises NotFound, and Conflict where workflows use it, unless `force`."""
        row = self.get(session, user_id, connection_id)
        uses = self.used_by(session, user_id, row.name)
        if uses and not force:
            raise Conflict(f"it is used by {', '.join(use.workflow_name for use in uses[:_MOST_NAMED])}")
        session.delete(row)
        session.commit()

    def used_by(self, session: Session, user_id: UUID, name: str) -> Sequence[Use]:
        return connection_uses(session, self.vault, user_id).get(name, ())

    def test(self, session: Session, backends: Backends, user_id: UUID, connection_id: UUID) -> Connection:
        """Tries it out and stores the outcome. Raises NotFound."""
        row = self.get(session, user_id, connection_id)
        kind, config = self._kind(row.type), dict(row.config)
        session.rollback()  # the service may take its time
        trial = try_out(backends, kind, config, user_id)
        row = self.get(session, user_id, connection_id)
        if trial.tried and row.config == config:  # else it was changed meanwhile
            row.tested_at, row.problem = datetime.now(UTC), trial.problem
            session.commit()
        return row

    def can_be_tested(self, row: Connection) -> bool:
        kind = self.catalog.connection_kinds.get(row.type)
        return kind is not None and kind.can_test(row.config)

    def view(self, row: Connection) -> ConnectionView:
        """The row, masked; without its config where its kind is unknown, and with it which fields are secret."""
        kind = self.catalog.connection_kinds.get(row.type)
        config = mask_fields(row.config, kind.secret_keys(), literal=True) if kind else {}
        return ConnectionView(
            row.id, row.name, row.type, config, row.tested_at, row.problem, row.created_at, row.updated_at
        )

    def _require_room(self, session: Session, user_id: UUID) -> None:
        """Raises Conflict."""
        if (session.scalar(select(func.count()).where(Connection.user_id == user_id)) or 0) >= MOST:
            raise Conflict(f"there are {MOST} connections already")

    def _kind(self, name: str) -> ConnectionKind[Any]:
        """Raises NotFound."""
        kind = self.catalog.connection_kinds.get(name)
        if kind is None:
            raise NotFound(f"there are no connections of the type '{name}' here any more")
        return kind

    def _sealed(
        self, kind: ConnectionKind[Any], config: Mapping[str, Any], stored: Mapping[str, Any] | None
    ) -> JsonObject:
        return seal_fields(filled_in(config), kind.secret_keys(), self.vault, stored, literal=True)

    def _commit(self, session: Session) -> None:
        """Raises Conflict for a name that is taken."""
        try:
            session.commit()
        except IntegrityError as error:
            session.rollback()
            raise Conflict("there is a connection by that name already") from error
