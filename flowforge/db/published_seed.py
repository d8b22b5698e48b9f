"""What the originals' setup script puts into every database, with a password and a webhook token that everybody can
read in it (contract.md, section 4): switched off until the owner says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.orm import Session

from flowforge.db.tables import AccessToken, PasswordReset, RefreshToken, TriggerRegistration, User, WebSession

ACCOUNT, TOKEN = "flowadmin", "demo-token"
_HASHED_BY_SCRIPT = "$2b$"
"""Begins the hash of the published password: passwords that somebody has set are `$2a$` with the originals, and argon2
here (contract.md, section 2)."""
_NOTICE = (
    f"Switched off: its token, {TOKEN}, stands in the setup script of the former installation, so that everybody knows"
    " it. Make a new trigger, or enable this one again."
)


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """None: there was nothing to switch off."""

    account_id: UUID | None
    trigger_id: UUID | None


def is_published(username: str, password_hash: str) -> bool:
    """Whether the account has the published password."""
    return username == ACCOUNT and password_hash.startswith(_HASHED_BY_SCRIPT)


def switch_off(session: Session) -> SwitchedOff:
    """Disables the account while its password is the published one, and ends its credentials; and the trigger, once.
    Leaves the commit to the caller. Rows do not look edited."""
    return SwitchedOff(_disable_account(session), _disable_trigger(session))


def _disable_account(session: Session) -> UUID | None:
    disabled = {
        "disabled_at": datetime.now(UTC),
        "credentials_epoch": User.credentials_epoch + 1,
        "refresh_token": None,
        "refresh_token_expiry_date": None,
        "updated_at": User.updated_at,
    }
    still_on = User.disabled_at.is_(None), *_has_published_password()
    account_id = session.scalar(update(User).where(*still_on).values(disabled).returning(User.id))
    if account_id is not None:
        for table in (AccessToken, PasswordReset, RefreshToken, WebSession):
            session.execute(delete(table).where(table.user_id == account_id))
    return account_id


def _has_published_password() -> tuple[ColumnElement[bool], ...]:
    return User.username == ACCOUNT, User.password.startswith(_HASHED_BY_SCRIPT, autoescape=True)


def _disable_trigger(session: Session) -> UUID | None:
    """The notice shows that it was done: whoever enables the trigger after that has been told."""
    row = TriggerRegistration
    untold = row.webhook_token == TOKEN, row.enabled, row.last_error.is_distinct_from(_NOTICE)
    told = {"enabled": False, "last_error": _NOTICE, "last_error_at": datetime.now(UTC), "updated_at": row.updated_at}
    return session.scalar(update(row).where(*untold).values(told).returning(row.id))
