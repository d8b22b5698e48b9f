"""Personal access tokens: bearer tokens that people make for their scripts, with scopes and an end. Only hashes of them
are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from flowforge.accounts import random_tokens, sign_ins
from flowforge.accounts.scopes import USUAL, Scope
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.tables import AccessToken
from flowforge.errors import Conflict, NotFound, Problem, Unauthorized, raise_any
from flowforge.ids import uuid7
from flowforge.sentences import sentence
from flowforge.views import view_of

PREFIX = "ffp_"
MOST_TOKENS = 50
LONGEST_NAME = 100
USUAL_LIFE_DAYS = 90
LONGEST_LIFE_DAYS = 3_650
SHOWN_CHARACTERS = 9
_TOUCHED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PersonalToken:
    id: UUID
    name: str
    start: str
    """Its first characters, by which its owner recognises it."""
    scopes: Sequence[Scope]
    created_at: datetime
    expires_at: datetime | None
    """None only for tokens of releases that made such."""
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken(PersonalToken):
    token: str
    """The token itself, which cannot be shown again."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Properties of a token to be made: its scopes, and the days that it is valid for."""

    name: str
    scopes: frozenset[Scope] = USUAL
    days: int = USUAL_LIFE_DAYS


@dataclass(frozen=True, slots=True)
class Holder:
    """The account that a token speaks for, and what it allows."""

    user_id: UUID
    token_id: UUID
    scopes: frozenset[Scope]


def create(session: Session, user_id: UUID, epoch: int, grant: Grant) -> NewToken:
    """Makes a token. Commits. Raises Unauthorized where the account's credentials are of another epoch by now, Invalid
    for an unusable grant, and Conflict where there are MOST_TOKENS."""
    raise_any([*_name_problems(grant.name), *_days_problems(grant.days), *_scope_problems(grant.scopes)])
    account = sign_ins.lock_account(session, user_id)
    if account is None or account.credentials_epoch != epoch:
        raise Unauthorized(sentence("you have been signed out; please sign in again"))
    _refuse_too_many(session, user_id)
    token, hashed = random_tokens.create(PREFIX)
    row = AccessToken(
        id=uuid7(),
        user_id=user_id,
        name=grant.name.strip(),
        token_hash=hashed,
        start=token[:SHOWN_CHARACTERS],
        scopes=_in_order(grant.scopes),
        expires_at=datetime.now(UTC) + timedelta(days=grant.days),
    )
    session.add(row)
    scopes = " ".join(row.scopes)
    record(session, Action.TOKEN_CREATED, by=user_id, on=row.id, named=row.name, scopes=scopes, days=grant.days)
    session.commit()
    return view_of(NewToken, _token(row), token=token)


def all_of(session: Session, user_id: UUID) -> Sequence[PersonalToken]:
    """Lists the user's tokens, newest first, the expired ones too."""
    mine = select(AccessToken).where(AccessToken.user_id == user_id)
    rows = session.scalars(mine.order_by(AccessToken.created_at.desc(), AccessToken.id.desc()))
    return [_token(row) for row in rows]


def revoke(session: Session, user_id: UUID, token_id: UUID) -> None:
    """Commits. Raises NotFound."""
    mine = delete(AccessToken).where(AccessToken.id == token_id, AccessToken.user_id == user_id)
    name = session.scalar(mine.returning(AccessToken.name))
    if name is None:
        raise NotFound(sentence("there is no such token"))
    record(session, Action.TOKEN_REVOKED, by=user_id, on=token_id, named=name)
    session.commit()


def holder_of(session: Session, token: str) -> Holder | None:
    """Returns the holder of a token; None if it is unknown, revoked or expired. Notes its use, to the minute; commits
    then."""
    now = datetime.now(UTC)
    row = session.scalar(select(AccessToken).where(AccessToken.token_hash == random_tokens.digest(token)))
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    holder = Holder(row.user_id, row.id, frozenset(map(Scope, row.scopes)))
    if row.last_used_at is None or now - row.last_used_at > _TOUCHED_EVERY:
        stale = or_(AccessToken.last_used_at.is_(None), AccessToken.last_used_at < now - _TOUCHED_EVERY)
        session.execute(update(AccessToken).where(AccessToken.id == row.id, stale).values(last_used_at=now))
        session.commit()
    return holder


def _refuse_too_many(session: Session, user_id: UUID) -> None:
    held = session.scalar(select(func.count()).select_from(AccessToken).where(AccessToken.user_id == user_id)) or 0
    if held >= MOST_TOKENS:
        raise Conflict(
            sentence("there are %(most)s tokens already; revoke one that is not needed any more", most=MOST_TOKENS)
        )


def _in_order(scopes: Iterable[str]) -> list[Scope]:
    return sorted(map(Scope, scopes), key=list(Scope).index)


def _token(row: AccessToken) -> PersonalToken:
    return view_of(PersonalToken, row, scopes=_in_order(row.scopes))


def _name_problems(name: str) -> list[Problem]:
    if name.strip() and len(name) <= LONGEST_NAME and name.isprintable():
        return []
    return [Problem("/name", sentence("must be a text of 1 to %(most)s printable characters", most=LONGEST_NAME))]


def _days_problems(days: int) -> list[Problem]:
    if 1 <= days <= LONGEST_LIFE_DAYS:
        return []
    return [Problem("/days", sentence("must be a whole number from 1 to %(most)s", most=LONGEST_LIFE_DAYS))]


def _scope_problems(scopes: frozenset[Scope]) -> list[Problem]:
    return [] if scopes else [Problem("/scopes", sentence("must name at least one scope"))]
