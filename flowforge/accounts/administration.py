"""Administration of the accounts of an instance.

Whoever calls has made sure that somebody asks who may (`require_power_over`), or the operator on the command line.
Each function commits. Raises NotFound where there is no such account, and Forbidden for what may not be done to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from flowforge.accounts import credentials, passwords, sign_ins
from flowforge.accounts.accounts import has_owner
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db import like_patterns
from flowforge.db.name_keys import find_account, key_of
from flowforge.db.published_seed import is_published
from flowforge.db.tables import ADMINISTRATORS, Role, User
from flowforge.errors import Conflict, Forbidden, NotFound
from flowforge.sentences import sentence
from flowforge.views import view_of

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class ManagedAccountView:
    id: UUID
    username: str
    email: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    needs_exact_spelling: bool
    """Whether its name differs only in case from that of an older account, so that it signs in exactly as spelled."""
    has_second_factor: bool
    has_published_password: bool
    """Whether everybody can read its password in the originals' setup script."""


def require_administrator(session: Session, user_id: UUID) -> None:
    """Raises Forbidden."""
    if session.scalar(select(User.role).where(User.id == user_id)) not in ADMINISTRATORS:
        raise Forbidden(sentence("only administrators of this server may do this"))


def require_owner(session: Session, user_id: UUID) -> None:
    """Raises Forbidden."""
    if session.scalar(select(User.role).where(User.id == user_id)) != Role.OWNER:
        raise Forbidden(sentence("only the owner of this server may do this"))


def require_power_over(session: Session, actor_id: UUID, user_id: UUID) -> None:
    """Administrators manage members, the owner everybody. Raises Forbidden, NotFound."""
    require_administrator(session, actor_id)
    if _get(session, user_id).role != Role.MEMBER and _get(session, actor_id).role != Role.OWNER:
        raise Forbidden(sentence("only the owner of this server manages its administrators"))


def require_power_over_password(session: Session, actor_id: UUID, user_id: UUID) -> None:
    """Nobody makes a link for their own account: one's own password is changed by giving the present one. Raises
    Forbidden, NotFound."""
    require_power_over(session, actor_id, user_id)
    if actor_id == user_id:
        raise Forbidden(sentence("change your own password in the settings; that takes the present one"))


def list_accounts(session: Session, search: str = "", *, page: int = 0, size: int = 50) -> Sequence[ManagedAccountView]:
    """Accounts whose name or address begins with `search`, in the order of their names. A name is found however it is
    written: `ß` by `SS`."""
    as_key, as_entered = (like_patterns.literal(text) + "%" for text in (key_of(search), search))
    spelled = [func.lower(text).like(func.lower(as_entered)) for text in (User.username, User.email)]
    named = or_(User.name_key.like(as_key), *spelled)
    ordered = select(User).where(named).order_by(func.lower(User.username), User.id)
    return [account_of(user) for user in session.scalars(ordered.offset(page * size).limit(size))]


def find(session: Session, user_id: UUID) -> ManagedAccountView:
    return account_of(_get(session, user_id))


def find_by_name(session: Session, username: str) -> ManagedAccountView:
    user_id = find_account(session, username)
    if user_id is None:
        raise NotFound(sentence("there is no account '%(username)s'", username=username))
    return find(session, user_id)


def disable(session: Session, user_id: UUID) -> ManagedAccountView:
    """Ends whatever the account is signed in with, and stops its triggers; executions under way go on to their end."""
    user = _lock(session, user_id)
    _refuse_owner(user, sentence("be disabled"))
    if user.disabled_at is None:
        user.disabled_at = datetime.now(UTC)
        record(session, Action.ACCOUNT_DISABLED, account=user_id)
        credentials.end_all(session, user_id)
    session.commit()
    return account_of(user)


def enable(session: Session, user_id: UUID) -> ManagedAccountView:
    """Lets it sign in again, and its triggers start workflows; what was due meanwhile is not made up for. A published
    password counts no more: a link sets another one."""
    user = _lock(session, user_id)
    user.disabled_at = None
    if is_published(user.username, user.password):
        user.password = passwords.hash_of_unknown_password()
    record(session, Action.ACCOUNT_ENABLED, account=user_id)
    session.commit()
    return account_of(user)


def make_administrator(session: Session, user_id: UUID) -> ManagedAccountView:
    """Makes the account an administrator; the owner where nobody owns the instance, as in some databases taken over."""
    user = _lock_enabled(session, user_id)
    if user.role == Role.MEMBER:
        _give_role(session, user, Role.ADMIN if has_owner(session) else Role.OWNER)
    session.commit()
    return account_of(user)


def make_member(session: Session, user_id: UUID) -> ManagedAccountView:
    """Takes the rights of an administrator away."""
    user = _lock(session, user_id)
    _refuse_owner(user, sentence("become a member"))
    _give_role(session, user, Role.MEMBER)
    session.commit()
    return account_of(user)


def make_owner(session: Session, user_id: UUID) -> ManagedAccountView:
    """The owner until now becomes an administrator."""
    user = _lock_enabled(session, user_id)
    before = User.role == Role.OWNER, User.id != user_id
    session.execute(update(User).where(*before).values(role=Role.ADMIN))
    _give_role(session, user, Role.OWNER)
    session.commit()
    return account_of(user)


def account_of(user: User) -> ManagedAccountView:
    return view_of(
        ManagedAccountView,
        user,
        role=Role(user.role),
        needs_exact_spelling=user.name_key is None,
        has_second_factor=user.totp_confirmed_at is not None,
        has_published_password=is_published(user.username, user.password),
    )


def _get(session: Session, user_id: UUID) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(sentence("there is no such account"))
    return user


def _lock(session: Session, user_id: UUID) -> User:
    user = sign_ins.lock_account(session, user_id)
    if user is None:
        raise NotFound(sentence("there is no such account"))
    return user


def _lock_enabled(session: Session, user_id: UUID) -> User:
    user = _lock(session, user_id)
    if user.disabled_at is not None:
        raise Conflict(sentence("the account is disabled; enable it first"))
    return user


def _give_role(session: Session, user: User, role: Role) -> None:
    record(session, Action.ROLE_CHANGED, account=user.id, role=role, before=user.role)
    credentials.end_reset_links(session, user.id)  # made by somebody who may not have power over the new role
    user.role = role


def _refuse_owner(user: User, what: str) -> None:
    if user.role == Role.OWNER:
        raise Forbidden(
            sentence(
                "%(username)s owns this server, and cannot %(what)s; make somebody else the owner first",
                username=user.username,
                what=what,
            )
        )
