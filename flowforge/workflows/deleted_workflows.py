"""Deleted workflows: nothing starts them any more, and they can be restored while they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db import deleted_workflows_store
from flowforge.db.refusals import refused_as
from flowforge.db.tables import DeletedWorkflow, TriggerRegistration
from flowforge.engine.pruning import DELETED_WORKFLOWS_KEPT
from flowforge.errors import Conflict, NotFound
from flowforge.sentences import sentence
from flowforge.settings import Settings
from flowforge.triggers.kind import Registered
from flowforge.triggers.kinds import find_kind
from flowforge.triggers.registrations import configuration_of
from flowforge.views import view_of
from flowforge.workflows import quota

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class DeletedWorkflowView:
    id: UUID
    name: str
    deleted_at: datetime

    @property
    def kept_until(self) -> datetime:
        return self.deleted_at + DELETED_WORKFLOWS_KEPT


def list_deleted(session: Session, user_id: UUID) -> Sequence[DeletedWorkflowView]:
    """List the user's deleted workflows that can be restored, the latest first; at most MOST_LISTED."""
    mine = select(DeletedWorkflow.id, DeletedWorkflow.name, DeletedWorkflow.deleted_at).where(
        DeletedWorkflow.user_id == user_id
    )
    rows = session.execute(mine.order_by(DeletedWorkflow.deleted_at.desc()).limit(MOST_LISTED))
    return [view_of(DeletedWorkflowView, row) for row in rows]


def restore(session: Session, settings: Settings, user_id: UUID, workflow_id: UUID) -> str:
    """Bring a deleted workflow back as it was, with its triggers, draft, tags and pins; returns its name. Commits.
    Raises NotFound, Conflict where another workflow has its key now, and Forbidden above the account's quota."""
    name = _lock(session, user_id, workflow_id)
    quota.require_room(session, settings, user_id, 1)
    with refused_as(session, Conflict(sentence("it cannot be restored: another workflow has its key now"))):
        deleted_workflows_store.restore(session.connection(), workflow_id)
        _skip_missed_times(session, workflow_id)
        record(session, Action.WORKFLOW_RESTORED, by=user_id, on=workflow_id, named=name)
        session.commit()
    return name


def purge(session: Session, user_id: UUID, workflow_id: UUID) -> None:
    """Delete a deleted workflow permanently. Commits. Raises NotFound."""
    name = _lock(session, user_id, workflow_id)
    session.execute(delete(DeletedWorkflow).where(DeletedWorkflow.id == workflow_id))
    record(session, Action.WORKFLOW_PURGED, by=user_id, on=workflow_id, named=name)
    session.commit()


def _lock(session: Session, user_id: UUID, workflow_id: UUID) -> str:
    """Returns its name. Raises NotFound."""
    mine = DeletedWorkflow.id == workflow_id, DeletedWorkflow.user_id == user_id
    name = session.scalar(select(DeletedWorkflow.name).where(*mine).with_for_update())
    if name is None:
        raise NotFound(sentence("there is no such deleted workflow"))
    return name


def _skip_missed_times(session: Session, workflow_id: UUID) -> None:
    """Schedules go on with their next time: what was due while the workflow was deleted is not made up for."""
    now = datetime.now(UTC)
    is_late = TriggerRegistration.enabled, TriggerRegistration.next_scheduled_at < now
    for row in session.scalars(
        select(TriggerRegistration).where(TriggerRegistration.workflow_id == workflow_id, *is_late)
    ):
        kind = find_kind(row.trigger_type)
        if kind is not None:
            row.next_scheduled_at = kind.due_at(configuration_of(row), Registered(None, False, {}), now)
