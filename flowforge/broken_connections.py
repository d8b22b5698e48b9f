"""Connections that have to be signed in with again: their owners are told, and what waits for them goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.accounts import mails
from flowforge.db import connection_waits_store, error_workflows_store
from flowforge.db.engine import transaction, unavailable_when_down
from flowforge.db.tables import Connection, OAuthGrant, User, Workflow
from flowforge.engine import intake
from flowforge.engine.completion import AFTER_FAILURE, ERROR
from flowforge.engine.intake import NewEvent
from flowforge.errors import Unavailable
from flowforge.wiring import Backends
from flowforge.workflows.connection_uses import Use, published_uses

_AT_ONCE = 20
_MOST_WAITING = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broken:
    """A connection whose owner has yet to be told, and the workflows that use it."""

    connection_id: UUID
    name: str
    problem: str
    user_id: UUID
    email: str
    uses: Sequence[Use]


def tend(backends: Backends) -> None:
    """Stores renewed tokens that PostgreSQL did not take before, lets steps go on whose connection works again, and
    tells owners of those that do not. One bounded round. Raises Unavailable."""
    backends.renewals.settle()
    with transaction(backends.engine) as connection:
        connection_waits_store.go_on_where_mended(connection, _MOST_WAITING)
    for broken in _tell(backends):
        _mail(backends, broken)


def _tell(backends: Backends) -> Sequence[Broken]:
    """Starts the error workflows, and notes that the owners are told, in one transaction."""
    with unavailable_when_down(), Session(backends.engine) as session:
        found = _untold(session)
        events = [event for broken in found for event in _error_events(session, broken)]
        recorded = intake.record(session.connection(), events)
        session.commit()
    if recorded:
        intake.announce(backends.bus, recorded, inline_limit=backends.settings.payload_inline_limit)
    return found


def _untold(session: Session) -> list[Broken]:
    untold = (
        select(OAuthGrant, Connection, User)
        .join(Connection, Connection.id == OAuthGrant.id)
        .join(User, User.id == Connection.user_id)
        .where(OAuthGrant.broken_at.is_not(None), OAuthGrant.told_at.is_(None))
        .order_by(OAuthGrant.broken_at)
        .limit(_AT_ONCE)
        .with_for_update(of=OAuthGrant, skip_locked=True)
    )
    uses_of = cache(partial(published_uses, session))  # where a service ends sign-ins, an owner may have several
    found = []
    for grant, row, owner in session.execute(untold).all():
        grant.told_at = datetime.now(UTC)
        uses = uses_of(owner.id).get(row.name, ())
        found.append(Broken(row.id, row.name, grant.problem or "", owner.id, owner.email, uses))
    return found


def _error_events(session: Session, broken: Broken) -> list[NewEvent]:
    """One for each workflow that uses the connection and has a workflow for its errors: its own, or the account's."""
    named = Workflow.settings["errorWorkflow"].astext
    ids = [use.workflow_id for use in broken.uses]
    rows = session.execute(select(Workflow.id, Workflow.name, named).where(Workflow.id.in_(ids), Workflow.enabled))
    chosen = error_workflows_store.of_accounts(session.connection(), [broken.user_id]).get(broken.user_id)
    named_by = [(id_, name, own or (str(chosen) if chosen and chosen != id_ else None)) for id_, name, own in rows]
    return [_error_event(broken, id_, name, to_start) for id_, name, to_start in named_by if to_start is not None]


def _error_event(broken: Broken, workflow_id: UUID, name: str, error_workflow: str) -> NewEvent:
    message = f"the connection '{broken.name}' has to be signed in with again: {broken.problem}"
    payload = {
        "error": {"message": message, "connection": broken.name},
        "execution": {"id": None, "triggerType": None},
        "workflow": {"id": workflow_id, "name": name},
    }
    metadata = {"source": ERROR, "workflowId": workflow_id, "connectionId": broken.connection_id}
    awaited_by = {AFTER_FAILURE: True}
    return NewEvent(None, UUID(error_workflow), broken.user_id, ERROR, payload, metadata, awaited_by=awaited_by)


def _mail(backends: Backends, broken: Broken) -> None:
    if not mails.can_send(backends.settings):
        return
    try:
        workflows = [use.workflow_name for use in broken.uses]
        mails.send_connection_broken(
            backends, broken.email, broken.connection_id, broken.name, broken.problem, workflows
        )
    except Unavailable as error:
        log.warning("the owner of connection %s was not told by mail: %s", broken.connection_id, error)
