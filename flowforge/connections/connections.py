"""Connections: what several steps share to reach a service, created once and called by their names."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.masked_secrets import masks_of_nothing, secret_keys
from flowforge.connectors.sdk import Connector, ConnectorError, StepContext
from flowforge.db.tables import Connection
from flowforge.engine.step_output import told
from flowforge.errors import Conflict, Invalid, NotFound, Problem
from flowforge.ids import uuid7
from flowforge.language.evaluation.names import hint
from flowforge.secrets import Vault
from flowforge.wiring import Backends
from flowforge.workflows.connection_uses import Use, connection_uses

MOST = 200
"""Of one user."""
TEST_SECONDS = 15.0
MOST_TOLD = 20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Connections:
    catalog: Catalog
    vault: Vault

    def all(self, session: Session, user_id: UUID) -> Sequence[Connection]:
        """By name."""
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
        type_ = raw.get("type")
        problems = [*_problems_of_name(raw.get("name")), *self._problems_of_type(type_)]
        config = raw.get("config", {})
        problems += self._problems_of_config(str(type_), config, None)
        if problems:
            raise Invalid(problems)
        if (session.scalar(select(func.count()).where(Connection.user_id == user_id)) or 0) >= MOST:
            raise Conflict(f"there are {MOST} connections already")
        row = Connection(id=uuid7(), user_id=user_id, name=raw["name"], type=type_)
        row.config = self._sealed(str(type_), config, None)
        session.add(row)
        self._commit(session)
        return row

    def update(self, session: Session, user_id: UUID, connection_id: UUID, raw: Mapping[str, Any]) -> Connection:
        """`raw`: a new config, in which masks keep what is stored; the name stays, for steps call it by that. Commits.
        Raises NotFound, Invalid."""
        row = self.get(session, user_id, connection_id)
        config = raw.get("config", {})
        problems = self._problems_of_config(row.type, config, row.config)
        if problems:
            raise Invalid(problems)
        row.config = self._sealed(row.type, config, row.config)
        row.updated_at, row.tested_at, row.problem = datetime.now(UTC), None, None
        self._commit(session)
        return row

    def delete(self, session: Session, user_id: UUID, connection_id: UUID, *, force: bool = False) -> None:
        """Commits. Raises NotFound, and Conflict for one that workflows use, unless it is forced."""
        row = self.get(session, user_id, connection_id)
        users = self.used_by(session, user_id, row.name)
        if users and not force:
            raise Conflict(f"it is used by {', '.join(use.workflow_name for use in users[:MOST_TOLD])}")
        session.delete(row)
        session.commit()

    def used_by(self, session: Session, user_id: UUID, name: str) -> Sequence[Use]:
        return connection_uses(session, self.vault, user_id).get(name, ())

    def test(self, session: Session, backends: Backends, user_id: UUID, connection_id: UUID) -> Connection:
        """Tries it out, within TEST_SECONDS, and keeps what came of it. Raises NotFound."""
        row = self.get(session, user_id, connection_id)
        connector, config = self._connector(row.type), dict(row.config)
        session.rollback()  # the service may take its time
        tried, problem = self._try(backends, connector, config, user_id)
        row = self.get(session, user_id, connection_id)
        if tried and row.config == config:  # else somebody has changed it meanwhile
            row.tested_at, row.problem = datetime.now(UTC), problem
            session.commit()
        return row

    def can_be_tested(self, row: Connection) -> bool:
        connector = self.catalog.connections().get(row.type)
        return bool(connector and connector.connection and connector.connection.check)

    def shown(self, row: Connection) -> Json:
        """As the API shows it, secrets masked."""
        connector = self.catalog.connections().get(row.type)
        config = self.catalog.mask(connector.action_type, row.config, literal=True) if connector else {}
        return {
            "id": row.id,
            "name": row.name,
            "type": row.type,
            "config": config,
            "testedAt": row.tested_at,
            "problem": row.problem,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
        }

    def types(self) -> list[Json]:
        """What a connection can be to, with the schema of its config."""
        found = []
        for name, connector in self.catalog.connections().items():
            kind = connector.connection
            assert kind is not None
            can = kind.check is not None
            found.append({"type": name, "title": kind.title, "testable": can, "config": connector.connection_schema()})
        return found

    def _try(
        self, backends: Backends, connector: Connector[Any], config: Json, user_id: UUID
    ) -> tuple[bool, str | None]:
        """Whether it could be tried, and what is wrong with it."""
        kind = connector.connection
        if kind is None or kind.check is None:
            return False, None
        opened = self.catalog.open(connector.action_type, config, self.vault)
        secrets = self.catalog.secret_values(connector.action_type, opened)
        try:
            return kind.check(opened, _context(backends, user_id)), None
        except ConnectorError as error:
            return True, told(error, secrets)

    def _connector(self, type_: str) -> Connector[Any]:
        connector = self.catalog.connections().get(type_)
        if connector is None:
            raise NotFound(f"there are no connections of the type '{type_}' here any more")
        return connector

    def _sealed(self, type_: str, config: Mapping[str, Any], before: Mapping[str, Any] | None) -> Json:
        connector = self._connector(type_)
        given = {key: value for key, value in config.items() if value not in (None, "")}
        return self.catalog.seal(connector.action_type, given, self.vault, before, literal=True)

    def _problems_of_type(self, type_: Any) -> list[Problem]:
        known = self.catalog.connections()
        return [] if type_ in known else [Problem("/type", f"must be one of {', '.join(sorted(known))}")]

    def _problems_of_config(self, type_: str, config: Any, before: Mapping[str, Any] | None) -> list[Problem]:
        connector = self.catalog.connections().get(type_)
        if not isinstance(config, dict):
            return [Problem("/config", "must be an object")]
        if connector is None or connector.connection is None:
            return []
        fields = connector.connection.fields
        problems = [
            Problem(f"/config/{key}", f"is no field of it{hint(key, fields)}") for key in config if key not in fields
        ]
        # Of the connector's own rules those about a single field; the others are about steps.
        given = {key: value for key, value in config.items() if value not in (None, "")}
        own = connector.problems(given, "")
        problems += [
            Problem(f"/config{one.pointer}", one.message)
            for one in own
            if one.pointer.split("/")[1:2] and one.pointer.split("/")[1] in given
        ]
        return [
            *problems,
            *masks_of_nothing(config, secret_keys(self.catalog, connector.action_type), before, "/config"),
        ]

    def _commit(self, session: Session) -> None:
        try:
            session.commit()
        except IntegrityError as error:
            session.rollback()
            raise Conflict("there is a connection by that name already") from error


def _problems_of_name(name: Any) -> list[Problem]:
    usable = isinstance(name, str) and _NAME.fullmatch(name) is not None
    wrong = "must be small letters, digits, _ and -, at most 63 of them, and begin with a letter or digit"
    return [] if usable else [Problem("/name", wrong)]


def _context(backends: Backends, user_id: UUID) -> StepContext:
    nobody = UUID(int=0)
    return StepContext(
        execution_id=nobody,
        workflow_id=nobody,
        user_id=user_id,
        step_index=0,
        step_id="test",
        attempt=1,
        idempotency_key=f"connection-test-{uuid7()}",
        deadline=time.monotonic() + TEST_SECONDS,
        trigger={},
        steps={},
        tools=backends.tools,
    )
