"""Samples of the room on the database's disk, a week of them. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from flowforge.db.tables import DiskSampleRow

_SAMPLES = DiskSampleRow.__table__.c


@dataclass(frozen=True, slots=True)
class DiskSample:
    taken_at: datetime
    free_bytes: int


def add_sample(connection: Connection, sample: DiskSample, kept_since: datetime) -> None:
    """Adds a sample and deletes those before `kept_since`."""
    connection.execute(delete(DiskSampleRow).where(_SAMPLES.taken_at < kept_since))
    connection.execute(insert(DiskSampleRow).values(taken_at=sample.taken_at, free_bytes=sample.free_bytes))


def find_first_and_last(connection: Connection, since: datetime) -> tuple[DiskSample, DiskSample] | None:
    """Returns the oldest sample since a moment, and the newest; None where there is none."""
    first, last = (
        connection.execute(
            select(_SAMPLES.taken_at, _SAMPLES.free_bytes).where(_SAMPLES.taken_at >= since).order_by(order).limit(1)
        ).first()
        for order in (_SAMPLES.taken_at, _SAMPLES.taken_at.desc())
    )
    return (DiskSample(*first), DiskSample(*last)) if first and last else None
