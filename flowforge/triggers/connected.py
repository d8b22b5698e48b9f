"""Triggers that use connections: whether these exist, and what follows when one of them works again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from flowforge.connectors.named_connection import problem_of_connection
from flowforge.connectors.sdk import CONNECTION
from flowforge.db.tables import Connection, TriggerRegistration
from flowforge.errors import Problem
from flowforge.sentences import sentence
from flowforge.triggers.kind import TriggerKind
from flowforge.triggers.kinds import connected_types

_WHOSE = sentence("trigger")


def problems_of_connection(
    session: Session, user_id: UUID, kind: TriggerKind[Any] | None, config: Mapping[str, Any], pointer: str
) -> list[Problem]:
    """A connection that the config names, and that the kind cannot use. One statement, where it names one."""
    name = config.get(CONNECTION)
    if kind is None or not kind.connection_kinds or not name:
        return []
    mine = select(Connection.name, Connection.type).where(Connection.user_id == user_id)
    types = {row.name: row.type for row in session.execute(mine)}
    message = problem_of_connection(name, [taken.type for taken in kind.connection_kinds], types, _WHOSE)
    return [Problem(f"{pointer}/{CONNECTION}", message)] if message else []


def go_on(session: Session, user_id: UUID, connection: str) -> None:
    """Makes the triggers due at once that have failed with the connection: it is another one now. The caller
    commits."""
    trigger = TriggerRegistration
    names_it = (
        func.lower(trigger.trigger_type).in_(connected_types()),
        trigger.configuration[CONNECTION].astext == connection,
    )
    waits = trigger.enabled, trigger.last_error_at.is_not(None), trigger.next_scheduled_at > func.now()
    session.execute(
        update(trigger)
        .where(trigger.user_id == user_id, *names_it, *waits)
        .values(next_scheduled_at=func.now(), updated_at=trigger.updated_at)
    )
