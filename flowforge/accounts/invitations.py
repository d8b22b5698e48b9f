"""Invitations: links by which somebody registers on a server whose registration is closed. Each is used once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session

from flowforge.accounts import random_tokens
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.tables import ADMINISTRATORS, Invitation, Role, User
from flowforge.errors import Invalid, NotFound
from flowforge.sentences import sentence
from flowforge.views import view_of

LIFETIME = timedelta(days=7)
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class InvitationView:
    id: UUID
    email: str | None
    role: Role
    created_at: datetime
    expires_at: datetime


def create(session: Session, invited_by: UUID, email: str | None, role: Role) -> tuple[InvitationView, str]:
    """Makes an invitation; returns it with the token that its link holds, which cannot be shown again. Commits. Raises
    Invalid for an invitation to own the server: it has one owner."""
    if role is Role.OWNER:
        raise Invalid.at("/role", sentence("must be admin or member"))
    token, hashed = random_tokens.create()
    expires_at = datetime.now(UTC) + LIFETIME
    row = Invitation(token_hash=hashed, email=email, role=role, invited_by=invited_by, expires_at=expires_at)
    session.add(row)
    session.flush()
    record(session, Action.INVITATION_CREATED, by=invited_by, on=row.id, named=email, role=role)
    session.commit()
    return _pending(row), token


def list_pending(session: Session) -> Sequence[InvitationView]:
    """Returns invitations that can still be used, the newest first."""
    usable = select(Invitation).where(*_open())
    newest_first = usable.order_by(Invitation.created_at.desc(), Invitation.id.desc())
    return [_pending(row) for row in session.scalars(newest_first.limit(MOST_LISTED))]


def find(session: Session, token: str) -> InvitationView:
    """Raises Invalid for a token that is unknown, used or expired."""
    row = session.scalar(select(Invitation).where(*_usable(token)))
    if row is None:
        raise _unusable()
    return _pending(row)


def use(session: Session, token: str) -> None:
    """Uses it up; the caller commits. Raises Invalid where somebody else was faster."""
    if session.scalar(delete(Invitation).where(*_usable(token)).returning(Invitation.id)) is None:
        raise _unusable()


def withdraw(session: Session, invitation_id: UUID) -> None:
    """Commits. Raises NotFound."""
    gone = delete(Invitation).where(Invitation.id == invitation_id).returning(Invitation.id)
    if session.scalar(gone) is None:
        raise NotFound(sentence("there is no such invitation"))
    record(session, Action.INVITATION_WITHDRAWN, on=invitation_id)
    session.commit()


def _usable(token: str) -> tuple[ColumnElement[bool], ...]:
    return Invitation.token_hash == random_tokens.digest(token), *_open()


def _open() -> tuple[ColumnElement[bool], ...]:
    """Holds for those not expired, of somebody who may still invite: an administrator who was disabled has no way back
    by a link of their own."""
    inviter = select(User.id).where(User.id == Invitation.invited_by)
    may_invite = exists(inviter.where(User.role.in_(ADMINISTRATORS), User.disabled_at.is_(None)))
    return Invitation.expires_at > datetime.now(UTC), may_invite


def _unusable() -> Invalid:
    return Invalid.at("/invitation", sentence("is unknown, used or expired; ask for another one"))


def _pending(row: Invitation) -> InvitationView:
    return view_of(InvitationView, row, role=Role(row.role))
