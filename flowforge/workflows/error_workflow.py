"""The error workflow of an account: it is started for each failure of a workflow that names none of its own, but never
for its own failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.tables import User, Workflow
from flowforge.errors import Invalid, NotFound
from flowforge.sentences import sentence


@dataclass(frozen=True, slots=True)
class ErrorWorkflow:
    workflow_id: UUID | None
    """None: failures start nothing."""

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Raises Invalid."""
        written = raw.get("workflowId")
        if written in (None, ""):
            return cls(None)
        try:
            return cls(UUID(written))
        except (ValueError, TypeError, AttributeError):
            raise Invalid.at("/workflowId", sentence("must be the id of a workflow")) from None


def find(session: Session, user_id: UUID) -> ErrorWorkflow:
    """One that is gone counts as none. Raises NotFound."""
    chosen = _user(session, user_id).error_workflow_id
    return ErrorWorkflow(chosen if chosen and _name(session, user_id, chosen) is not None else None)


def choose(session: Session, user_id: UUID, wanted: ErrorWorkflow) -> ErrorWorkflow:
    """Commits. Raises Invalid for a workflow that is not there, and NotFound."""
    user, name = _user(session, user_id), None
    if wanted.workflow_id is not None:
        name = _name(session, user_id, wanted.workflow_id)
        if name is None:
            raise Invalid.at("/workflowId", sentence("is the id of no workflow"))
    user.error_workflow_id = wanted.workflow_id
    record(session, Action.ERROR_WORKFLOW_CHOSEN, by=user_id, on=wanted.workflow_id or user_id, named=name or "")
    session.commit()
    return wanted


def _user(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(sentence("there is no such account"))
    return user


def _name(session: Session, user_id: UUID, workflow_id: UUID) -> str | None:
    return session.scalar(select(Workflow.name).where(Workflow.id == workflow_id, Workflow.user_id == user_id))
