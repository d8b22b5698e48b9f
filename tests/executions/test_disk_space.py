"""How long the disk lasts is told from samples of a week, where FlowForge runs PostgreSQL itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from flowforge.db.disk_samples_store import DiskSample, add_sample
from flowforge.db.engine import transaction
from flowforge.db.tables import DiskSampleRow
from flowforge.executions import disk_space
from flowforge.settings import Settings

NOW = datetime(2026, 6, 8, tzinfo=UTC)
GIB = 1 << 30


def sample(engine: Engine, ago: timedelta, free: int) -> None:
    with transaction(engine) as connection:
        add_sample(connection, DiskSample(NOW - ago, free), NOW - disk_space.KEPT)


def test_nothing_is_known_without_a_sample(engine: Engine) -> None:
    assert disk_space.forecast(engine, NOW) is None


@pytest.mark.parametrize(
    ("hours", "before", "now", "days_left", "is_short"),
    [
        (48, 140, 120, 12, True),
        (24, 140, 130, 13, True),
        (24, 1010, 1000, 100, False),
        (24, 100, 110, None, False),
        (5, 140, 120, None, False),
        (24, 0.5, 0.5, None, True),
    ],
    ids=["two days", "a day", "plenty", "it empties", "seen too shortly", "hardly any is left"],
)
def test_days_that_are_left(
    engine: Engine, hours: int, before: float, now: float, days_left: float | None, is_short: bool
) -> None:
    sample(engine, timedelta(hours=hours), int(before * GIB))
    sample(engine, timedelta(0), int(now * GIB))

    found = disk_space.forecast(engine, NOW)

    assert found is not None
    assert found.free_bytes == int(now * GIB)
    assert found.days_left == (None if days_left is None else pytest.approx(days_left))
    assert found.is_short is is_short


def test_samples_of_a_week_are_kept(engine: Engine) -> None:
    sample(engine, timedelta(days=6), 3 * GIB)
    sample(engine, timedelta(0), 2 * GIB)
    with transaction(engine) as connection:
        add_sample(connection, DiskSample(NOW + timedelta(days=2), GIB), NOW + timedelta(days=2) - disk_space.KEPT)
        assert connection.scalar(select(func.count()).select_from(DiskSampleRow)) == 2


@pytest.mark.parametrize("runs_postgres", [True, False])
def test_only_the_disk_of_its_own_postgres_is_looked_at(engine: Engine, tmp_path: Path, runs_postgres: bool) -> None:
    if runs_postgres:
        (tmp_path / "postgres").mkdir()

    disk_space.note_free_space(engine, Settings(FLOWFORGE_HOME=tmp_path), NOW)

    assert (disk_space.forecast(engine, NOW) is not None) is runs_postgres
