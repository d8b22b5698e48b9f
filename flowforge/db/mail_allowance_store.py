"""The mails that accounts may send a day by the instance's own server: counted as they are sent, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import Engine, Uuid, bindparam, text

from flowforge.db.engine import unavailable_when_down

_TAKE = text("""
    WITH allowed AS (
        SELECT coalesce((SELECT mails_a_day FROM auth.quotas WHERE user_id = :user_id), :limit) AS most
    )
    INSERT INTO auth.daily_usage AS used (user_id, day, mails)
    SELECT :user_id, :day, :recipients FROM allowed WHERE most = 0 OR :recipients <= most
    ON CONFLICT (user_id, day) DO UPDATE SET mails = used.mails + excluded.mails
        WHERE (SELECT most = 0 OR used.mails + excluded.mails <= most FROM allowed)
    RETURNING mails
""").bindparams(bindparam("user_id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class MailAllowanceStore:
    """`limit`: for accounts that have no other (auth.quotas); 0: any number."""

    engine: Engine
    limit: int

    def take(self, user_id: UUID, recipients: int) -> bool:
        """Counts a mail for today (UTC), once for each recipient; false, and nothing is counted, where that is more
        than the account may send. Raises Unavailable."""
        wanted = {"user_id": user_id, "day": _today(), "recipients": recipients, "limit": self.limit}
        with unavailable_when_down(), self.engine.begin() as connection:
            return connection.execute(_TAKE, wanted).first() is not None


def _today() -> date:
    return datetime.now(UTC).date()
