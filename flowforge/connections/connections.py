"""Connections: credentials and settings that several steps share, created once and called by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.connections.changes import ConnectionChange, NewConnection
from flowforge.connections.trial import try_out
from flowforge.connections.validation import filled_in, problems_of_config
from flowforge.connections.views import ConnectionView
from flowforge.connectors.catalog import Catalog
from flowforge.connectors.sdk import ConnectionKind
from flowforge.db.oauth_grants_store import stored_grant
from flowforge.db.refusals import refused_as
from flowforge.db.tables import Connection, OAuthGrant
from flowforge.errors import Conflict, NotFound, raise_any
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.secrets import Vault, mask_fields, seal_fields
from flowforge.sentences import sentence
from flowforge.triggers import connected
from flowforge.views import view_of
from flowforge.wiring import Backends
from flowforge.workflows.connection_uses import Use, connection_uses

MOST = 200
"""Connections of one user."""
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Connections:
    """The operations, with what they need besides the session."""

    catalog: Catalog
    vault: Vault

    def all(self, session: Session, user_id: UUID) -> Sequence[ConnectionView]:
        """All connections of a user, sorted by name, secrets masked."""
        rows = select(Connection, OAuthGrant.broken_at).outerjoin(OAuthGrant, OAuthGrant.id == Connection.id)
        mine = rows.where(Connection.user_id == user_id).order_by(Connection.name).limit(MOST)
        return [self._view(row, is_broken=broken_at is not None) for row, broken_at in session.execute(mine)]

    def get(self, session: Session, user_id: UUID, connection_id: UUID) -> ConnectionView:
        """Get a connection, its secrets masked. Raises NotFound."""
        return self._view_now(session, find_connection(session, user_id, connection_id))

    def find(self, session: Session, user_id: UUID, name: str) -> ConnectionView | None:
        """The connection by that name, its secrets masked; None where there is none."""
        named = select(Connection).where(Connection.user_id == user_id, Connection.name == name)
        row = session.scalar(named)
        return self._view_now(session, row) if row else None

    def create(self, session: Session, user_id: UUID, wanted: NewConnection) -> ConnectionView:
        """Commits. Raises Conflict for a name that is taken, and where there are too many."""
        self._require_room(session, user_id)
        row = Connection(id=uuid7(), user_id=user_id, name=wanted.name, type=wanted.kind.type)
        row.config = self._seal(wanted.kind, wanted.config, None)
        session.add(row)
        _record(session, Action.CONNECTION_CREATED, row)
        self._commit(session, row)
        return self._view(row, is_broken=False)

    def update(self, session: Session, user_id: UUID, connection_id: UUID, change: ConnectionChange) -> ConnectionView:
        """Replace the config; the name stays, for steps call it by that. Commits. Raises NotFound, Invalid."""
        row = find_connection(session, user_id, connection_id)
        kind = self._kind(row.type)
        raise_any(change.problems or problems_of_config(kind, change.config, row.config))
        row.config = self._seal(kind, change.config, row.config)
        row.updated_at, row.tested_at, row.problem = datetime.now(UTC), None, None
        _record(session, Action.CONNECTION_CHANGED, row)
        self._commit(session, row)
        return self._view_now(session, row)

    def delete(self, session: Session, user_id: UUID, connection_id: UUID, *, force: bool = False) -> None:
        """Deletes it and commits. Raises NotFound, and Conflict where workflows use it, unless `force`."""
        row = find_connection(session, user_id, connection_id)
        uses = self.used_by(session, user_id, row.name)
        if uses and not force:
            raise Conflict(
                sentence("it is used by %(users)s", users=", ".join(use.workflow_name for use in uses[:_MOST_NAMED]))
            )
        _record(session, Action.CONNECTION_DELETED, row)
        session.delete(row)
        session.commit()

    def used_by(self, session: Session, user_id: UUID, name: str) -> Sequence[Use]:
        return connection_uses(session, self.vault, user_id).get(name, ())

    def test(self, session: Session, backends: Backends, user_id: UUID, connection_id: UUID) -> ConnectionView:
        """Tries it out and stores the outcome. Raises NotFound."""
        row = find_connection(session, user_id, connection_id)
        kind, config = self._kind(row.type), dict(row.config)
        grant = stored_grant(session, row.id)
        session.rollback()  # the service may take its time
        trial = try_out(backends, kind, config, user_id, grant)
        row = find_connection(session, user_id, connection_id)
        if trial.tried and row.config == config:  # else it was changed meanwhile
            row.tested_at, row.problem = datetime.now(UTC), trial.problem
            session.commit()
        return self._view_now(session, row)

    def _view_now(self, session: Session, row: Connection) -> ConnectionView:
        return self._view(row, is_broken=stored_grant(session, row.id).problem is not None)

    def _view(self, row: Connection, *, is_broken: bool) -> ConnectionView:
        kind = self.catalog.connection_kinds.get(row.type)
        config = mask_fields(row.config, kind.secret_keys(), literal=True) if kind else {}
        return view_of(
            ConnectionView,
            row,
            is_broken=is_broken,
            paused_until=row.paused_until if _is_ahead(row.paused_until) else None,
            config=config,
            can_be_tested=kind is not None and kind.can_test(row.config),
        )

    def _require_room(self, session: Session, user_id: UUID) -> None:
        """Raises Conflict."""
        if (session.scalar(select(func.count()).where(Connection.user_id == user_id)) or 0) >= MOST:
            raise Conflict(sentence("there are %(most)s connections already", most=MOST))

    def _kind(self, name: str) -> ConnectionKind[Any]:
        """Raises NotFound."""
        kind = self.catalog.connection_kinds.get(name)
        if kind is None:
            raise NotFound(sentence("there are no connections of the type '%(name)s' here any more", name=name))
        return kind

    def _seal(
        self, kind: ConnectionKind[Any], config: Mapping[str, Any], stored: Mapping[str, Any] | None
    ) -> JsonObject:
        return seal_fields(filled_in(config), kind.secret_keys(), self.vault, stored, literal=True)

    def _commit(self, session: Session, row: Connection) -> None:
        """Lets triggers try again that have failed with it. Raises Conflict for a name that is taken."""
        with refused_as(session, Conflict(sentence("there is a connection by that name already"))):
            connected.go_on(session, row.user_id, row.name)
            session.commit()


def find_connection(session: Session, user_id: UUID, connection_id: UUID) -> Connection:
    """A connection of that user. Raises NotFound."""
    row = session.scalar(select(Connection).where(Connection.user_id == user_id, Connection.id == connection_id))
    if row is None:
        raise NotFound(sentence("there is no such connection"))
    return row


def _record(session: Session, action: Action, row: Connection) -> None:
    record(session, action, by=row.user_id, on=row.id, named=row.name, type=row.type)


def _is_ahead(moment: datetime | None) -> bool:
    return moment is not None and moment > datetime.now(UTC)
