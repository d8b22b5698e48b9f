"""Sessions of a user: browsers with the dashboard open, and clients with refresh tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.credential_epochs import tell_of_change
from flowforge.db.tables import RefreshToken, WebSession
from flowforge.errors import NotFound
from flowforge.ids import uuid7
from flowforge.sentences import sentence

MOST_SHOWN = 100
_LONGEST_AGENT = 200
_LONGEST_ADDRESS = 64
_TOUCHED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`kind` is `browser` or `client`."""

    id: UUID
    kind: str
    user_agent: str
    address: str | None
    since: datetime
    last_seen_at: datetime


def begin(session: Session, user_id: UUID, user_agent: str, address: str, lifetime: timedelta) -> UUID:
    """Begin the session of a browser whose user has just signed in. Commits.

    Deletes those of the user that were not seen for a lifetime.
    """
    stale = WebSession.last_seen_at < datetime.now(UTC) - lifetime
    session.execute(delete(WebSession).where(WebSession.user_id == user_id, stale))
    row = WebSession(
        id=uuid7(),
        user_id=user_id,
        user_agent=user_agent.replace("\0", "")[:_LONGEST_AGENT],
        address=address[:_LONGEST_ADDRESS],
    )
    session.add(row)
    record(session, Action.SIGNED_IN, by=user_id, on=row.id)
    session.commit()
    return row.id


def is_alive(session: Session, user_id: UUID, session_id: UUID) -> bool:
    """Whether the session exists. Notes that it was seen, to the minute; commits then."""
    row = session.get(WebSession, session_id)
    if row is None or row.user_id != user_id:
        return False
    now = datetime.now(UTC)
    if now - row.last_seen_at > _TOUCHED_EVERY:
        session.execute(update(WebSession).where(WebSession.id == session_id).values(last_seen_at=now))
        session.commit()
    return True


def all_of(session: Session, user_id: UUID) -> Sequence[SignedIn]:
    """All sessions of a user, the one seen last first."""
    browsers = session.scalars(
        select(WebSession)
        .where(WebSession.user_id == user_id)
        .order_by(WebSession.last_seen_at.desc())
        .limit(MOST_SHOWN)
    )
    found = [
        SignedIn(row.id, "browser", row.user_agent, row.address, row.created_at, row.last_seen_at) for row in browsers
    ]
    return sorted([*found, *_clients(session, user_id)], key=lambda session: session.last_seen_at, reverse=True)


def end(session: Session, user_id: UUID, session_id: UUID) -> None:
    """Signs one browser or client out. Commits. Raises NotFound."""
    browser = delete(WebSession).where(WebSession.id == session_id, WebSession.user_id == user_id)
    ended = session.scalar(browser.returning(WebSession.id)) is not None
    tokens = (
        update(RefreshToken)
        .where(RefreshToken.family_id == session_id, RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    if not ended and not session.scalars(tokens.returning(RefreshToken.id)).all():
        raise NotFound(sentence("there is no such session"))
    record(session, Action.SIGNED_OUT, by=user_id, on=session_id)
    tell_of_change(session, user_id)
    session.commit()


def _clients(session: Session, user_id: UUID) -> list[SignedIn]:
    """Clients: families of refresh tokens of which one can still be used."""
    rows = session.execute(
        select(
            RefreshToken.family_id,
            func.max(RefreshToken.user_agent),
            func.min(RefreshToken.created_at),
            func.max(RefreshToken.created_at),
        )
        .where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None), RefreshToken.expires_at > func.now())
        .group_by(RefreshToken.family_id)
        .order_by(func.max(RefreshToken.created_at).desc())
        .limit(MOST_SHOWN)
    )
    return [SignedIn(family, "client", agent or "", None, since, last) for family, agent, since, last in rows]
