"""Signed-in devices: each has a family of refresh tokens, of which every token buys the next (contract.md, section 2).

Only hashes are stored. A token that comes again long after its use has been copied, so its whole family ends: thief and
owner both have to sign in. One that comes again within GRACE is taken for the same client asking twice (two tabs, or an
answer lost on the way) and gets a token of its own in the same family; a later reuse of either line still ends both.

All changes to one account's tokens happen under a lock on the account, so that ending a family misses none of it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flowforge.accounts import random_tokens
from flowforge.accounts.views import AccountView, account_view
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.adoption import stored_forms
from flowforge.db.credential_epochs import tell_of_change
from flowforge.db.tables import RefreshToken, User
from flowforge.errors import Unauthorized
from flowforge.ids import uuid7

GRACE = timedelta(seconds=10)

_LONGEST_TOKEN = 512
_LONGEST_AGENT = 200
_NOT_VALID = "the refresh token is unknown, expired or ended; please sign in again"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A signed-in device; its family of refresh tokens is its session."""

    session_id: UUID
    refresh_token: str


def begin(session: Session, user_id: UUID, lifetime: timedelta, user_agent: str = "") -> Device:
    """Signs a new device in. Commits."""
    family_id = uuid7()
    record(session, Action.SIGNED_IN, by=user_id, on=family_id)
    return _issue(session, user_id, family_id, lifetime, user_agent)


def rotate(session: Session, token: str, lifetime: timedelta, user_agent: str = "") -> tuple[AccountView, Device]:
    """Exchanges a refresh token for the next one. Commits. Raises Unauthorized.

    The token that an original implementation left with its user is accepted once.
    """
    owner_id = _owner_of(session, token)
    user = lock_account(session, owner_id) if owner_id else None
    if user is None:
        session.rollback()
        raise Unauthorized(_NOT_VALID)
    link = _find(session, token)
    family_id = _use(session, link) if link else _use_adopted(session, user, token)
    user = as_proven(session, user)
    return account_view(user), _issue(session, user.id, family_id, lifetime, user_agent)


def end(session: Session, user_id: UUID, token: str) -> None:
    """Signs the device out that holds this token of the user's; any other token is no error. Commits."""
    user = lock_account(session, user_id)
    link = _find(session, token)
    if link is not None and link.user_id == user_id:
        _end_family(session, link)
        record(session, Action.SIGNED_OUT, by=user_id, on=link.family_id)
    if user is not None and user.refresh_token in stored_forms(token):
        user.refresh_token = user.refresh_token_expiry_date = None
    session.commit()


def end_all(session: Session, user_id: UUID) -> None:
    """Signs every device of the user out. Leaves the commit to the caller, who holds the account's lock."""
    now = datetime.now(UTC)
    ours = RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None)
    session.execute(update(RefreshToken).where(*ours).values(revoked_at=now))
    session.execute(update(User).where(User.id == user_id).values(refresh_token=None, refresh_token_expiry_date=None))


def as_proven(session: Session, user: User) -> User:
    """The account as it is under its lock: what is committed by others later, such as a new epoch of its credentials,
    does not reach it any more."""
    session.flush()
    session.expunge(user)
    return user


def lock_account(session: Session, user_id: UUID) -> User | None:
    """Lock and return the account: until the transaction ends nobody else changes it or its tokens."""
    return session.scalar(
        select(User).where(User.id == user_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )


def _owner_of(session: Session, token: str) -> UUID | None:
    if len(token) > _LONGEST_TOKEN or "\0" in token:
        return None
    owner = session.scalar(select(RefreshToken.user_id).where(RefreshToken.token_hash == random_tokens.digest(token)))
    return owner or session.scalar(select(User.id).where(User.refresh_token.in_(stored_forms(token))))


def _use(session: Session, link: RefreshToken) -> UUID:
    """Marks a token as used; returns its family. Raises Unauthorized."""
    now = datetime.now(UTC)
    if link.revoked_at is not None or link.expires_at <= now:
        session.rollback()
        raise Unauthorized(_NOT_VALID)
    if link.used_at is not None and now - link.used_at > GRACE:
        log.warning("a refresh token of user %s was used twice: its device is signed out", link.user_id)
        _end_family(session, link)
        record(session, Action.SIGNED_OUT, account=link.user_id, on=link.family_id, why="refresh token used twice")
        session.commit()
        raise Unauthorized("this refresh token was used before, so its device has been signed out")
    link.used_at = link.used_at or now
    return link.family_id


def _use_adopted(session: Session, user: User, token: str) -> UUID:
    """Takes the old token away; returns a family to go on with. Raises Unauthorized."""
    expiry, stored = user.refresh_token_expiry_date, user.refresh_token
    if stored not in stored_forms(token):
        session.rollback()
        raise Unauthorized(_NOT_VALID)
    user.refresh_token = user.refresh_token_expiry_date = None
    if expiry is None or expiry <= datetime.now(UTC):
        session.commit()
        raise Unauthorized(_NOT_VALID)
    return uuid7()


def _find(session: Session, token: str) -> RefreshToken | None:
    statement = select(RefreshToken).where(RefreshToken.token_hash == random_tokens.digest(token))
    return session.scalar(statement.execution_options(populate_existing=True))


def _issue(session: Session, user_id: UUID, family_id: UUID, lifetime: timedelta, user_agent: str) -> Device:
    token, hashed = random_tokens.create()
    session.add(
        RefreshToken(
            user_id=user_id,
            family_id=family_id,
            token_hash=hashed,
            expires_at=datetime.now(UTC) + lifetime,
            user_agent=user_agent.replace("\0", "")[:_LONGEST_AGENT],
        )
    )
    session.commit()
    return Device(family_id, token)


def _end_family(session: Session, link: RefreshToken) -> None:
    family = RefreshToken.family_id == link.family_id, RefreshToken.revoked_at.is_(None)
    session.execute(update(RefreshToken).where(*family).values(revoked_at=datetime.now(UTC)))
    tell_of_change(session, link.user_id)
