"""The first page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from flowforge.db.disk_samples_store import DiskSample, add_sample
from flowforge.db.engine import transaction
from flowforge.wiring import Backends
from tests.ui.conftest import Browser
from tests.ui.test_pages import created, finished


def test_the_first_page_shows_what_ran_and_what_comes_next(ada: Browser, backends: Backends) -> None:
    path = created(ada)
    ada.send(f"{path}/run", path, payload="{}")
    finished(backends)
    schedule = {"name": "Every hour", "trigger": {"type": "scheduler"}, "actions": []}
    created(ada, schedule)
    page = ada.get("/").text
    assert "No failed executions" in page
    assert "Every hour" in page
    assert "Executions wait until these workers run again: Orchestrator, Executor, Log writer" in page  # none runs here


def test_a_disk_that_fills_is_told_in_time(ada: Browser, backends: Backends) -> None:
    created(ada)
    now = datetime.now(UTC)
    for ago, free in ((timedelta(days=2), 16), (timedelta(0), 12)):
        with transaction(backends.engine) as connection:
            add_sample(connection, DiskSample(now - ago, free << 30), now - timedelta(days=7))
    page = " ".join(ada.get("/").text.split())
    assert "12.0 GiB of disk space left. At the current rate that lasts 6 days." in page


def test_its_figures_come_as_json_too(ada: Browser) -> None:
    assert len(json.loads(ada.get("/api/v1/home/throughput?hours=24").text)["hours"]) == 24
    assert ada.get("/api/v1/home/throughput?hours=x").status_code == 400
    assert set(json.loads(ada.get("/api/v1/home").text)) == {
        "failures",
        "running",
        "runningCount",
        "nextRuns",
        "health",
    }
