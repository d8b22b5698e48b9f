"""Accounts whose work is not accepted: those that are disabled, and those that have used up a quota.

Both stand in the account's row, so that whoever accepts work reads them within the statement that stores it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, String, case, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from flowforge.db.tables import User
from flowforge.errors import Forbidden, OverQuota
from flowforge.sentences import sentence


class Refusal(StrEnum):
    """Reason for which an account's work is not accepted."""

    DISABLED = "disabled"
    EXECUTIONS = "executions"
    BYTES = "bytes"


_MESSAGES = {
    Refusal.DISABLED: sentence("the account is disabled"),
    Refusal.EXECUTIONS: sentence("the account has used up its executions of today (UTC)"),
    Refusal.BYTES: sentence(
        "the account has used up its storage; executions that are deleted when they are old make room"
    ),
}

REFUSAL_OF_OWNER = """
    (SELECT CASE WHEN u.disabled_at IS NOT NULL THEN 'disabled' WHEN u.over_quota_until > now() THEN u.over_quota END
       FROM auth.users u WHERE u.id = user_id)
"""
"""As an expression in statements on rows with a `user_id`: a Refusal, or null where work is accepted."""


def refusal_of(user_id: InstrumentedAttribute[UUID]) -> ColumnElement[str | None]:
    """REFUSAL_OF_OWNER, for statements that SQLAlchemy writes."""
    return select(_refusal()).where(User.id == user_id).scalar_subquery()


def require_room(connection: Connection, user_id: UUID) -> None:
    """Raises Forbidden for a disabled account, OverQuota for one that has used up a quota."""
    refusal = connection.scalar(select(_refusal()).where(User.id == user_id))
    if refusal is not None:
        raise_refusal(Refusal(refusal))


def raise_refusal(refusal: Refusal) -> None:
    if refusal is Refusal.DISABLED:
        raise Forbidden(explain(refusal))
    raise OverQuota(explain(refusal), seconds_until_tomorrow())


def explain(refusal: str) -> str:
    return _MESSAGES[Refusal(refusal)]


def seconds_until_tomorrow(now: datetime | None = None) -> int:
    """Seconds until the next day in UTC begins, when the executions of a day are counted anew."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return 86_400 - moment.hour * 3600 - moment.minute * 60 - moment.second


def _refusal() -> ColumnElement[str | None]:
    over_quota = case((User.over_quota_until > func.now(), User.over_quota))
    return case((User.disabled_at.is_not(None), literal(Refusal.DISABLED.value, String)), else_=over_quota)
