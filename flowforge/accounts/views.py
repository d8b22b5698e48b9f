"""Views of accounts: neither a password's hash nor a token leaves the room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowforge.db.tables import User
from flowforge.views import view_of


@dataclass(frozen=True, slots=True)
class AccountView:
    id: UUID
    username: str
    email: str
    time_zone: str | None
    language: str | None
    """The language of pages, by its tag; None is the browser's."""
    role: str
    """A Role."""
    credentials_epoch: int
    """Counts up whenever everything that proves the account's identity ends."""
    created_at: datetime
    totp_confirmed_at: datetime | None
    """When the second factor was turned on."""
    theme: str | None
    """A flowforge.accounts.appearance.Theme; None: the system's."""
    density: str | None
    """A flowforge.accounts.appearance.Density; None: comfortable."""

    @property
    def has_second_factor(self) -> bool:
        return self.totp_confirmed_at is not None


def account_view(user: User) -> AccountView:
    return view_of(AccountView, user)
