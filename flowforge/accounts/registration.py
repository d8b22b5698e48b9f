"""New accounts: who may register, and what an account may be called."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.accounts import invitations, password_rules, passwords
from flowforge.accounts.accounts import has_owner
from flowforge.accounts.views import AccountView, account_view
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.name_keys import is_called, key_of
from flowforge.db.tables import Role, User
from flowforge.errors import Conflict, Forbidden, Invalid, Problem, raise_any
from flowforge.ids import uuid7
from flowforge.sentences import sentence
from flowforge.settings import Settings

_LONGEST_NAME = 100
_LONGEST_EMAIL = 254  # RFC 5321's limit of a path, less its brackets
_LOCAL_PART = r"[^\s@.\"(),:;<>\[\]\\]+(?:\.[^\s@.\"(),:;<>\[\]\\]+)*"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL_PART}@{_LABEL}(?:\.{_LABEL})+")
_CLOSED = sentence("registration is closed on this server")


@dataclass(frozen=True, slots=True)
class NewAccount:
    username: str
    email: str
    password: str


def is_open(session: Session, settings: Settings) -> bool:
    """Whether anybody who reaches the server may register (setting REGISTRATION_OPEN)."""
    if settings.registration_open_setting is not None:
        return settings.registration_open_setting
    return settings.only_local or not has_owner(session)


def register(session: Session, settings: Settings, new: NewAccount, invitation: str | None = None) -> AccountView:
    """Registers somebody who came by themselves, or by the token of an invitation. Commits.

    Raises Forbidden where registration is closed, Invalid naming every field at fault, and Conflict where somebody else
    registered at the same moment.
    """
    if invitation is None and not is_open(session, settings):
        raise Forbidden(_CLOSED)
    role = None if invitation is None else invitations.find(session, invitation).role
    prepared = _prepare(session, new)
    if invitation is not None:
        invitations.use(session, invitation)
    created = _create(session, prepared, role)
    if created.role != Role.OWNER and invitation is None and not is_open(session, settings):
        session.rollback()  # somebody else became the owner while the password was hashed
        raise Forbidden(_CLOSED)
    record(session, Action.ACCOUNT_CREATED, by=created.id, role=created.role, invited=invitation is not None or None)
    session.commit()
    return account_view(created)


def add(session: Session, new: NewAccount, role: Role | None = None) -> AccountView:
    """Adds an account without asking whether registration is open. None: the owner if there is none, or a member.
    Commits. Raises Invalid, Conflict."""
    created = _create(session, _prepare(session, new), role)
    record(session, Action.ACCOUNT_CREATED, account=created.id, role=created.role)
    session.commit()
    return account_view(created)


def email_problems(email: str) -> list[Problem]:
    if len(email) <= _LONGEST_EMAIL and email.isprintable() and _EMAIL.fullmatch(email):
        return []
    return [Problem("/email", sentence("must be an e-mail address, such as name@example.com"))]


@dataclass(frozen=True, slots=True)
class _Prepared:
    username: str
    email: str
    hashed: str


def _prepare(session: Session, new: NewAccount) -> _Prepared:
    """Raises Invalid. No connection is held while the hash is computed."""
    session.rollback()
    known = (new.username, new.email)
    problems = [*_name_problems(new.username), *email_problems(new.email)]
    raise_any([*problems, *password_rules.problems_of(new.password, "/password", known)])
    return _Prepared(new.username, new.email, passwords.hash_password(new.password))


def _create(session: Session, new: _Prepared, role: str | None) -> User:
    """Creates the account; of two who want one name, or to be the owner, the database picks one."""
    for each in (role or _first_role(session), role or Role.MEMBER):
        created = _insert(session, new, each)
        if created is not None:
            return created
        problems = _taken(session, new)
        if problems:
            session.rollback()
            raise Invalid(problems)
    session.rollback()
    raise Conflict(sentence("somebody registered at the same moment; please try again"))


def _first_role(session: Session) -> Role:
    return Role.MEMBER if has_owner(session) else Role.OWNER


def _insert(session: Session, new: _Prepared, role: str) -> User | None:
    """None where another has its name, its address, or has just become the owner."""
    row = {"id": uuid7(), "username": new.username, "name_key": key_of(new.username), "email": new.email}
    values = {**row, "password": new.hashed, "role": role}
    created: User | None = session.scalar(insert(User).values(values).on_conflict_do_nothing().returning(User))
    return created


def _taken(session: Session, new: _Prepared) -> list[Problem]:
    named = is_called(new.username)
    found = select(named.label("named"), (User.email == new.email).label("mailed"))
    rows = session.execute(found.where(or_(named, User.email == new.email))).all()
    taken = {"/username": any(row.named for row in rows), "/email": any(row.mailed for row in rows)}
    return [Problem(pointer, sentence("is taken")) for pointer, is_taken in taken.items() if is_taken]


def _name_problems(username: str) -> list[Problem]:
    if not username.strip():
        return [Problem("/username", sentence("must not be empty"))]
    if len(username) > _LONGEST_NAME:
        return [Problem("/username", sentence("must have at most %(most)s characters", most=_LONGEST_NAME))]
    if username != username.strip() or not username.isprintable():
        return [Problem("/username", sentence("must not hold control characters, nor blanks at its ends"))]
    return []
