"""Personal access tokens: bearer tokens that people make for their scripts. Only hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from flowforge.db.tables import AccessToken
from flowforge.errors import Conflict, Invalid, NotFound, Problem

PREFIX = "ffp_"
MOST_TOKENS = 50
LONGEST_NAME = 100
LONGEST_LIFE_DAYS = 3_650
_SHOWN_CHARACTERS = 9
_TOUCHED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    id: UUID
    name: str
    start: str
    """Its first characters, by which its owner recognises it."""
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken(PersonalToken):
    token: str
    """The token itself, which cannot be shown again."""


def create(session: Session, user_id: UUID, name: Any, days: Any = None) -> NewToken:
    """Makes a token that is valid for `days`; None: without end. Commits. Raises Invalid for an unusable name or
    number of days, and Conflict where there are MOST_TOKENS."""
    if problems := [*_name_problems(name), *_days_problems(days)]:
        raise Invalid(problems)
    held = session.scalar(select(func.count()).select_from(AccessToken).where(AccessToken.user_id == user_id)) or 0
    if held >= MOST_TOKENS:
        raise Conflict(f"there are {MOST_TOKENS} tokens already; revoke one that is not needed any more")
    token = PREFIX + secrets.token_urlsafe(32)
    row = AccessToken(
        user_id=user_id,
        name=name.strip(),
        token_hash=_digest(token),
        start=token[:_SHOWN_CHARACTERS],
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
    )
    session.add(row)
    session.commit()
    return NewToken(**asdict(_token(row)), token=token)


def all_of(session: Session, user_id: UUID) -> Sequence[PersonalToken]:
    """Lists the user's tokens, newest first, the expired ones too."""
    mine = select(AccessToken).where(AccessToken.user_id == user_id)
    rows = session.scalars(mine.order_by(AccessToken.created_at.desc(), AccessToken.id.desc()))
    return [_token(row) for row in rows]


def revoke(session: Session, user_id: UUID, token_id: UUID) -> None:
    """Commits. Raises NotFound."""
    mine = delete(AccessToken).where(AccessToken.id == token_id, AccessToken.user_id == user_id)
    if session.scalar(mine.returning(AccessToken.id)) is None:
        raise NotFound("there is no such token")
    session.commit()


def owner_of(session: Session, token: str) -> UUID | None:
    """The owner of a token; None if it is unknown, revoked or expired. Notes its use, to the minute; commits then."""
    now = datetime.now(UTC)
    row = session.scalar(select(AccessToken).where(AccessToken.token_hash == _digest(token)))
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    user_id = row.user_id
    if row.last_used_at is None or now - row.last_used_at > _TOUCHED_EVERY:
        stale = or_(AccessToken.last_used_at.is_(None), AccessToken.last_used_at < now - _TOUCHED_EVERY)
        session.execute(update(AccessToken).where(AccessToken.id == row.id, stale).values(last_used_at=now))
        session.commit()
    return user_id


def _token(row: AccessToken) -> PersonalToken:
    return PersonalToken(row.id, row.name, row.start, row.created_at, row.expires_at, row.last_used_at)


def _name_problems(name: Any) -> list[Problem]:
    if isinstance(name, str) and name.strip() and len(name) <= LONGEST_NAME and name.isprintable():
        return []
    return [Problem("/name", f"must be a text of 1 to {LONGEST_NAME} printable characters")]


def _days_problems(days: Any) -> list[Problem]:
    if days is None or (isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= LONGEST_LIFE_DAYS):
        return []
    return [Problem("/days", f"must be a whole number from 1 to {LONGEST_LIFE_DAYS}, or left out")]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
