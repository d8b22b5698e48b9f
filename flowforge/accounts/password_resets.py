"""Links by which somebody who has forgotten their password sets a new one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from flowforge.accounts import credentials, password_rules, passwords, random_tokens, sign_ins
from flowforge.accounts.views import AccountView, account_view
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.name_keys import is_called
from flowforge.db.tables import PasswordReset, User
from flowforge.errors import Invalid, raise_any
from flowforge.sentences import sentence

LIFETIME_HOURS = 2
LIFETIME = timedelta(hours=LIFETIME_HOURS)
MAILED_EVERY = timedelta(minutes=5)
"""One account gets no more mails than this, whoever asks for them."""
_MOST_ACCOUNTS = 5


def begin(session: Session, user_id: UUID) -> str:
    """A token with which the account's password is set, once. Commits. Links that were made before go on working."""
    token, hashed = random_tokens.create()
    session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id, _expired()))
    session.add(PasswordReset(user_id=user_id, token_hash=hashed, expires_at=datetime.now(UTC) + LIFETIME))
    record(session, Action.RESET_LINK_CREATED, account=user_id)
    session.commit()
    return token


def accounts_to_mail(session: Session, name_or_email: str) -> Sequence[AccountView]:
    """The accounts that somebody means who has forgotten a password, but those that have just been sent a link."""
    if "\0" in name_or_email:
        return []
    mailed = func.lower(User.email) == func.lower(name_or_email)
    recent = PasswordReset.created_at > datetime.now(UTC) - MAILED_EVERY
    just_sent = exists().where(PasswordReset.user_id == User.id, recent)
    found = select(User).where(or_(is_called(name_or_email), mailed), ~just_sent, User.disabled_at.is_(None))
    return [account_view(user) for user in session.scalars(found.limit(_MOST_ACCOUNTS))]


def is_usable(session: Session, token: str) -> bool:
    """Whether the token can still be used."""
    return _owner_of(session, token) is not None


def complete(session: Session, token: str, password: str) -> AccountView:
    """Sets the password, and ends whatever the account is signed in with. Commits.

    Raises Invalid for a password that is too weak (`/newPassword`), and for a token that is unknown, used or expired.
    """
    user = _owner_of(session, token)
    if user is None:
        raise _unusable()
    user_id, known = user.id, (user.username, user.email)
    session.rollback()  # no connection is held while the hash is computed
    raise_any(password_rules.problems_of(password, "/newPassword", known))
    hashed = passwords.hash_password(password)
    locked = sign_ins.lock_account(session, user_id)
    if locked is None or _owner_of(session, token) is None:
        session.rollback()
        raise _unusable()
    locked.password = hashed
    record(session, Action.PASSWORD_RESET, account=user_id)
    credentials.end_all(session, user_id)
    session.commit()
    return account_view(locked)


def _owner_of(session: Session, token: str) -> User | None:
    usable = PasswordReset.token_hash == random_tokens.digest(token), ~_expired(), User.disabled_at.is_(None)
    return session.scalar(select(User).join(PasswordReset, PasswordReset.user_id == User.id).where(*usable))


def _expired() -> ColumnElement[bool]:
    return PasswordReset.expires_at <= datetime.now(UTC)


def _unusable() -> Invalid:
    return Invalid.at("/token", sentence("is unknown, used or expired; ask for another link"))
