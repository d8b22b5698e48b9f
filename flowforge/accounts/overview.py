"""Accounts as their administrator sees them: with what each uses, and may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.accounts import administration, quotas, usage
from flowforge.accounts.administration import ManagedAccountView
from flowforge.accounts.quotas import Quotas
from flowforge.db.usage_store import Usage
from flowforge.settings import Settings
from flowforge.views import view_of


@dataclass(frozen=True, slots=True)
class AccountOverview(ManagedAccountView):
    usage: Usage
    quotas: Quotas
    """What counts for the account; 0 is any number."""
    own_quotas: Quotas
    """What an administrator has set for it; None is as the settings say."""


def list_overviews(
    session: Session, settings: Settings, search: str = "", *, page: int = 0, size: int = 50
) -> Sequence[AccountOverview]:
    """Accounts whose name or address begins with `search`, in the order of their names."""
    return _overviews(session, settings, administration.list_accounts(session, search, page=page, size=size))


def find_overview(session: Session, settings: Settings, user_id: UUID) -> AccountOverview:
    """Raises NotFound."""
    [found] = _overviews(session, settings, [administration.find(session, user_id)])
    return found


def _overviews(session: Session, settings: Settings, accounts: Sequence[ManagedAccountView]) -> list[AccountOverview]:
    ids = [account.id for account in accounts]
    used, own = usage.usage_of(session, settings, ids), quotas.own_of(session, ids)
    return [
        view_of(
            AccountOverview,
            account,
            usage=used[account.id],
            quotas=quotas.in_force(settings, own[account.id]),
            own_quotas=own[account.id],
        )
        for account in accounts
    ]
