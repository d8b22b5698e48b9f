"""Accounts: register, prove who you are, change the password (contract.md, sections 1.2 and 2).

Each function is one transaction of its own on the session it is given: it commits.
"""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.accounts import passwords, sign_ins
from flowforge.accounts.roles import Role
from flowforge.db.name_keys import key_of
from flowforge.db.tables import User
from flowforge.errors import Conflict, Invalid, NotFound, Problem, Unauthorized
from flowforge.ids import uuid7

_LONGEST_NAME = 100
_LONGEST_EMAIL = 254  # RFC 5321's limit of a path, less its brackets
_LOCAL_PART = r"[^\s@.\"(),:;<>\[\]\\]+(?:\.[^\s@.\"(),:;<>\[\]\\]+)*"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL_PART}@{_LABEL}(?:\.{_LABEL})+")
_TRIES = 3
_WRONG = "the user name or the password is wrong"


def register(session: Session, username: str, email: str, password: str) -> User:
    """A new account. Raises Invalid naming every field at fault; of two who want one name, the database picks one."""
    problems = [*_name_problems(username), *email_problems(email), *_password_problems(password, "/password")]
    if problems:
        raise Invalid(problems)
    created = _insert(session, username, email, passwords.hash_password(password))
    if created is None:
        problems = _taken(session, username, email)
        session.rollback()
        raise Invalid(problems) if problems else Conflict("somebody registered at the same moment; please try again")
    session.commit()
    return created


def _insert(session: Session, username: str, email: str, hashed: str) -> User | None:
    """The new row; None where another has its name, its address, or has just become the owner."""
    row = {"id": uuid7(), "username": username, "name_key": key_of(username), "email": email, "password": hashed}
    role = Role.MEMBER if has_owner(session) else Role.OWNER
    inserted = insert(User).values({**row, "role": role}).on_conflict_do_nothing().returning(User)
    created: User | None = session.scalar(inserted)
    return created


def has_owner(session: Session) -> bool:
    """Whether somebody owns the instance: the first account does."""
    return session.scalar(select(User.id).where(User.role == Role.OWNER)) is not None


def authenticate(session: Session, username: str, password: str) -> User:
    """The account behind a name and its password. Raises Unauthorized, after the same work for any name.

    A hash of the original implementations, or one of weaker parameters, is replaced.
    """
    user = _prove(session, username, password)
    session.commit()
    return user


def sign_in(
    session: Session, username: str, password: str, lifetime: timedelta, user_agent: str = ""
) -> tuple[User, str]:
    """`authenticate`, and a refresh token for the device that asks."""
    user = _prove(session, username, password)
    return user, sign_ins.begin(session, user.id, lifetime, user_agent)


def change_password(session: Session, user_id: UUID, current: str, new: str) -> User:
    """Signs every device out. Raises Invalid naming `/currentPassword` or `/newPassword`."""
    if problems := _password_problems(new, "/newPassword"):
        raise Invalid(problems)
    user = find(session, user_id)
    try:
        proven = _prove(session, user.username, current)
    except Unauthorized as error:
        raise Invalid.at("/currentPassword", "is wrong") from error
    proven.password = passwords.hash_password(new)
    sign_ins.end_all(session, user_id)
    session.commit()
    return proven


def find(session: Session, user_id: UUID) -> User:
    """Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("this account does not exist")
    return user


def _prove(session: Session, username: str, password: str) -> User:
    """Leaves the transaction open and the account locked, so that what follows still meets the proven password."""
    for _ in range(_TRIES):
        found = _hash_of(session, username)
        session.commit()  # no connection is held while a hash is computed
        if found is None:
            passwords.spend_the_same_time(password)
            break
        user_id, stored = found
        if not passwords.matches(stored, password):
            break
        newer = passwords.hash_password(password) if passwords.is_outdated(stored) else stored
        user = sign_ins.lock_account(session, user_id)
        if user is not None and user.password == stored:
            user.password = newer
            return user
        session.rollback()  # it was changed in the meantime: look again
    raise Unauthorized(_WRONG)


def _hash_of(session: Session, username: str) -> tuple[UUID, str] | None:
    if "\0" in username:  # PostgreSQL's text cannot hold it, so nobody is called that
        return None
    exactly = User.username == username
    named = select(User.id, User.password).where(or_(exactly, User.name_key == key_of(username)))
    row = session.execute(named.order_by(exactly.desc()).limit(1)).first()
    return (row.id, row.password) if row else None


def _taken(session: Session, username: str, email: str) -> list[Problem]:
    named = or_(User.username == username, User.name_key == key_of(username))
    rows = session.execute(select(named.label("named"), User.email).where(or_(named, User.email == email))).all()
    emails = {row.email for row in rows}
    problems = []
    if any(row.named for row in rows):
        problems.append(Problem("/username", "is taken"))
    if email in emails:
        problems.append(Problem("/email", "is taken"))
    return problems


def _name_problems(username: str) -> list[Problem]:
    if not username.strip():
        return [Problem("/username", "must not be empty")]
    if len(username) > _LONGEST_NAME:
        return [Problem("/username", f"must have at most {_LONGEST_NAME} characters")]
    if username != username.strip() or not username.isprintable():
        return [Problem("/username", "must not hold control characters, nor blanks at its ends")]
    return []


def email_problems(email: str) -> list[Problem]:
    if len(email) <= _LONGEST_EMAIL and email.isprintable() and _EMAIL.fullmatch(email):
        return []
    return [Problem("/email", "must be an e-mail address, such as name@example.com")]


def _password_problems(password: str, pointer: str) -> list[Problem]:
    if passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        return []
    return [Problem(pointer, f"must have {passwords.SHORTEST} to {passwords.LONGEST} characters")]
