"""The settings of a workflow in the builder: an edit of its draft like any other, with errors by their labels."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.ui.test_pages import created

NOTE = {"note": "Ask Ada first"}


@pytest.fixture
def builder(ada: Browser, app: Flask) -> Builder:
    return Builder(ada, app, created(ada, {"name": "Orders", "actions": [], "settings": NOTE}))


def test_all_settings_are_offered_with_their_labels(builder: Builder) -> None:
    page = unescape(builder.page("settings"))
    for label in ("Time limit (seconds)", "Concurrency", "Rate limit", "Error workflow"):
        assert label in page


def test_they_go_into_the_draft_and_the_note_stays(builder: Builder, ada: Browser) -> None:
    alerts = created(ada, {"name": "Alerts", "actions": []}).rpartition("/")[2]
    fields = {"config.timeout": "90", "config.errorWorkflow": alerts, "config.concurrency.drawn": "yes"}
    builder.edit("", to="settings", **fields, **{"config.concurrency.limit": "2", "config.concurrency.onLimit": "skip"})
    written = builder.definition["settings"]
    assert written == NOTE | {
        "timeout": 90,
        "errorWorkflow": alerts,
        "concurrency": {"limit": 2, "onLimit": "skip"},
    }
    assert re.search(rf'<option value="{alerts}" selected>\s*Alerts', builder.page("settings"))


def test_a_limit_is_added_and_taken_away_by_buttons(builder: Builder) -> None:
    builder.edit("", to="settings", arrange="open:config.rateLimit")
    assert "Within (seconds)" in builder.page("settings")
    builder.edit("", to="settings", **{"config.rateLimit.drawn": "yes"}, arrange="close:config.rateLimit")
    assert builder.definition["settings"] == NOTE


def test_what_is_wrong_is_said_by_its_label(builder: Builder) -> None:
    builder.edit("", to="settings", **{"config.timeout": "-1"})
    page = unescape(builder.page("settings"))
    assert "Time limit (seconds) must be more than 0" in page
    assert re.search(r"Settings</a>: Time limit \(seconds\) must be more than 0", page)
    assert "/settings/timeout" not in page


def test_its_time_zone_is_that_of_a_schedule_and_of_dates_that_name_none(builder: Builder) -> None:
    builder.edit("", to="settings", **{"config.timeZone": "Asia/Tokyo", "config.retentionDays": "7"})
    assert builder.definition["settings"] == NOTE | {"timeZone": "Asia/Tokyo", "retentionDays": 7}
    builder.edit("", to="trigger", type="scheduler", drawn="manual")
    fields = {"config.formKind": "daily", "config.atTime": "09:00", "zone": "Europe/Berlin"}
    builder.edit("", to="trigger", type="scheduler", drawn="scheduler", **fields)
    assert builder.definition["trigger"]["config"] == {"cron": "0 9 * * *"}
    assert "Asia/Tokyo (default)" in builder.page()
    assert "Next runs (Asia/Tokyo)" in builder.page()


def test_a_field_that_was_not_drawn_brings_no_zone(builder: Builder) -> None:
    builder.edit("", to="settings", zone="Europe/Berlin", **{"config.timeout": "9"})
    assert builder.definition["settings"] == NOTE | {"timeout": 9}


def test_a_zone_that_there_is_not_is_said_by_its_label(builder: Builder) -> None:
    builder.edit("", to="settings", **{"config.timeZone": "Europe/Berlim"})
    assert "Time zone: there is no time zone" in unescape(builder.page("settings"))
