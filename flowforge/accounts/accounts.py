"""Accounts: prove who you are, change the password (contract.md, sections 1.2 and 2).

Each function is one transaction of its own on the session it is given: it commits.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.accounts import credentials, password_rules, passwords, second_factor, sign_ins
from flowforge.accounts.second_factor import SecondStep
from flowforge.accounts.sign_ins import Device
from flowforge.accounts.views import AccountView, account_view
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.name_keys import is_called
from flowforge.db.tables import Role, User
from flowforge.errors import Forbidden, Invalid, NotFound, Unauthorized, raise_any
from flowforge.sentences import sentence

_TRIES = 3


class WrongPassword(Unauthorized):
    """No account has this name and this password."""


def has_owner(session: Session) -> bool:
    """Whether somebody owns the instance: the first account does."""
    return session.scalar(select(User.id).where(User.role == Role.OWNER)) is not None


def authenticate(session: Session, username: str, password: str, step: SecondStep | None = None) -> AccountView:
    """The account behind a name, its password, and its second factor if it has one.

    Raises Unauthorized, after the same work for any name, and Forbidden where the password is right and the account is
    disabled. A hash of the original implementations, or one of weaker parameters, is replaced.
    """
    user = sign_ins.as_proven(session, _prove_both(session, username, password, step))
    session.commit()
    return account_view(user)


def take_second_step(session: Session, user_id: UUID, epoch: int, step: SecondStep) -> AccountView:
    """The account whose password was proven in this epoch of its credentials, and now its second factor. Raises
    Unauthorized and Forbidden."""
    user = sign_ins.lock_account(session, user_id)
    if user is None or user.credentials_epoch != epoch:
        session.rollback()
        raise Unauthorized(sentence("please sign in again"))
    _refuse_disabled(session, user)
    second_factor.require(session, user, step)
    proven = sign_ins.as_proven(session, user)
    session.commit()
    return account_view(proven)


def sign_in(
    session: Session,
    username: str,
    password: str,
    lifetime: timedelta,
    user_agent: str = "",
    step: SecondStep | None = None,
) -> tuple[AccountView, Device]:
    """`authenticate`, and sign in the device that asks."""
    user = sign_ins.as_proven(session, _prove_both(session, username, password, step))
    return account_view(user), sign_ins.begin(session, user.id, lifetime, user_agent)


def change_password(
    session: Session, user_id: UUID, current: str, new: str, *, keep_tokens: bool = False
) -> AccountView:
    """Ends all credentials, but for personal tokens where these are to be kept. Raises Invalid naming
    `/currentPassword` or `/newPassword`."""
    user = load(session, user_id)
    raise_any(password_rules.problems_of(new, "/newPassword", (user.username, user.email)))
    proven = _prove_own(session, user, current, "/currentPassword")
    proven.password = passwords.hash_password(new)
    record(session, Action.PASSWORD_CHANGED, by=user_id)
    credentials.end_all(session, user_id, keep_tokens=keep_tokens)
    session.refresh(proven)
    changed = sign_ins.as_proven(session, proven)
    session.commit()
    return account_view(changed)


def confirm_password(session: Session, user_id: UUID, password: str) -> None:
    """Asks whoever is signed in for the password again. Commits. Raises Invalid naming `/password`."""
    _prove_own(session, load(session, user_id), password, "/password")
    session.commit()


def get(session: Session, user_id: UUID) -> AccountView:
    """Raises NotFound."""
    return account_view(load(session, user_id))


def load(session: Session, user_id: UUID) -> User:
    """Load the account's row. Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(sentence("this account does not exist"))
    return user


def _prove_both(session: Session, username: str, password: str, step: SecondStep | None) -> User:
    user = _prove(session, username, password)
    second_factor.require(session, user, step)
    return user


def _prove_own(session: Session, user: User, password: str, pointer: str) -> User:
    try:
        return _prove(session, user.username, password)
    except WrongPassword as error:
        raise Invalid.at(pointer, sentence("is wrong")) from error


def _prove(session: Session, username: str, password: str) -> User:
    """Leaves the transaction open and the account locked, so that what follows still meets the proven password."""
    for _ in range(_TRIES):
        user_id, stored = _hash_of(session, username)
        session.commit()  # no connection is held while a hash is computed
        if not passwords.matches(stored, password) or user_id is None:
            break
        newer = passwords.hash_password(password) if passwords.is_outdated(stored) else stored
        user = sign_ins.lock_account(session, user_id)
        if user is not None and user.password == stored:
            _refuse_disabled(session, user)
            user.password = newer
            return user
        session.rollback()  # it was changed in the meantime: look again
    raise WrongPassword("the user name or the password is wrong")


def _refuse_disabled(session: Session, user: User) -> None:
    if user.disabled_at is not None:
        session.rollback()
        raise Forbidden(sentence("this account is disabled; an administrator of this server can enable it"))


def _hash_of(session: Session, username: str) -> tuple[UUID | None, str]:
    """The account of this name, and its hash. For an unknown name it is the hash of some account, always the same: so
    time tells nothing, whatever sorts of hashes there are."""
    if "\0" in username:  # PostgreSQL's text cannot hold it, so nobody is called that
        return None, passwords.hash_of_nobody()
    exactly = User.username == username
    named = select(User.id, User.password).where(is_called(username))
    row = session.execute(named.order_by(exactly.desc()).limit(1)).first()
    next_one = select(User.password).where(User.username > username).order_by(User.username).limit(1)
    another = session.scalar(next_one)
    return (row.id, row.password) if row else (None, another or passwords.hash_of_nobody())
