"""Usage of the accounts, counted in the background every few seconds, and noted where a quota is used up.

A quota therefore is no exact bound: what is accepted within SETTLED and the pause between two counts goes beyond it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.db import usage_store
from flowforge.db.engine import transaction
from flowforge.db.usage_store import ACCEPTED, ENDED, Limits, Usage
from flowforge.settings import Settings
from flowforge.wiring import Backends

SETTLED = timedelta(seconds=5)
"""What is committed later than this after its moment is not counted."""
WINDOW = timedelta(minutes=10)
SECONDS_PER_RUN = 20.0


def count(backends: Backends, now: datetime | None = None, seconds: float = SECONDS_PER_RUN) -> int:
    """Counts what is new; what is left after `seconds` waits for the next run. Returns how many accounts have used up
    a quota, or have room again. Raises Unavailable."""
    moment = now or datetime.now(UTC)
    deadline = time.monotonic() + seconds
    for source in (ACCEPTED, ENDED):
        is_more_left = True
        while is_more_left and time.monotonic() < deadline:
            with transaction(backends.engine) as connection:
                is_more_left = usage_store.count_window(connection, source, moment - SETTLED, WINDOW)
    settings = backends.settings
    limits = Limits(settings.quota_executions_a_day, settings.quota_bytes)
    with transaction(backends.engine) as connection:
        return usage_store.note_used_up(connection, limits, moment.date(), _kept_since(settings, moment))


def usage_of(session: Session, settings: Settings, user_ids: Collection[UUID]) -> Mapping[UUID, Usage]:
    """Returns what these accounts use, by account: as far as it is counted."""
    now = datetime.now(UTC)
    return usage_store.usage_of(session.connection(), user_ids, now.date(), _kept_since(settings, now))


def _kept_since(settings: Settings, now: datetime) -> date:
    return (now - timedelta(days=settings.execution_retention_days)).date()
