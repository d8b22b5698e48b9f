"""Forecast of the time that the disk of the database lasts at the rate at which it has filled lately.

Known where FlowForge runs PostgreSQL itself; the disk of a server elsewhere cannot be looked at from here.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from flowforge.db import disk_samples_store
from flowforge.db.disk_samples_store import DiskSample
from flowforge.db.engine import transaction
from flowforge.settings import Settings

KEPT = timedelta(days=7)
SHORTEST_SPAN = timedelta(hours=6)
"""A rate that was seen for a shorter time says little about days."""
WARNING_DAYS = 14
WARNING_BYTES = 1 << 30
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DiskForecast:
    free_bytes: int
    days_left: float | None
    """None where the disk does not fill, or has not been watched for long enough."""

    @property
    def is_short(self) -> bool:
        """Whether somebody should act: less than two weeks, or less than 1 GiB."""
        return self.free_bytes < WARNING_BYTES or (self.days_left is not None and self.days_left < WARNING_DAYS)


def note_free_space(engine: Engine, settings: Settings, now: datetime | None = None) -> None:
    """Stores how much room there is; nothing where PostgreSQL runs elsewhere. Raises Unavailable."""
    folder = settings.home / "postgres"
    if not folder.is_dir():
        return
    moment = now or datetime.now(UTC)
    with transaction(engine) as connection:
        disk_samples_store.add_sample(connection, DiskSample(moment, _free_bytes(folder)), moment - KEPT)


def forecast(engine: Engine, now: datetime | None = None) -> DiskForecast | None:
    """Returns the outlook of the last week; None where nothing is known. Raises Unavailable."""
    with transaction(engine) as connection:
        found = disk_samples_store.find_first_and_last(connection, (now or datetime.now(UTC)) - KEPT)
    return DiskForecast(found[1].free_bytes, _days_left(*found)) if found else None


def _days_left(first: DiskSample, last: DiskSample) -> float | None:
    span, used = last.taken_at - first.taken_at, first.free_bytes - last.free_bytes
    if span < SHORTEST_SPAN or used <= 0:
        return None
    return last.free_bytes / (used * (_DAY / span))


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
