"""Schedules as people fill them in: what is stored is what the schedule reads, and stays as it was written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.form_view import FORM_KIND
from flowforge.triggers.kinds.scheduler import KIND, schedule_of
from flowforge.triggers.schedules.schedule_form import schedule_view

VIEW = schedule_view(60)
TIMES = st.times().map(lambda time: time.strftime("%H:%M"))
ZONES = st.sampled_from([{}, {"timeZone": "Europe/Berlin"}])
WEEK = ["1", "2", "3", "4", "5", "6", "0"]


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({}, {FORM_KIND: "every", "everyAmount": 1, "everyUnit": "hours"}),
        ({"intervalMinutes": 15}, {FORM_KIND: "every", "everyAmount": 15, "everyUnit": "minutes"}),
        ({"intervalMinutes": "1440"}, {FORM_KIND: "every", "everyAmount": 1, "everyUnit": "days"}),
        ({"intervalSeconds": 90}, {FORM_KIND: "every", "everyAmount": 90, "everyUnit": "seconds"}),
        ({"intervalMinutes": "often"}, {FORM_KIND: "every", "everyAmount": "often", "everyUnit": "minutes"}),
        ({"cron": "@daily"}, {FORM_KIND: "daily", "atTime": "00:00"}),
        ({"cron": "30 9 * * *"}, {FORM_KIND: "daily", "atTime": "09:30"}),
        ({"cron": "0 9 * * mon-fri"}, {FORM_KIND: "weekly", "onWeekdays": WEEK[:5], "atTime": "09:00"}),
        ({"cron": "0 9 * * 6,7"}, {FORM_KIND: "weekly", "onWeekdays": ["6", "0"], "atTime": "09:00"}),
        ({"cron": "0 9 L * *"}, {FORM_KIND: "monthly", "onDayOfMonth": "L", "atTime": "09:00"}),
        ({"cron": "0 9 1 * 1"}, {FORM_KIND: "cron", "cron": "0 9 1 * 1"}),
        ({"cron": "*/5 * * * *"}, {FORM_KIND: "cron", "cron": "*/5 * * * *"}),
        ({"cron": "0 9 * * 1#2"}, {FORM_KIND: "cron", "cron": "0 9 * * 1#2"}),
        ({"cron": "nonsense"}, {FORM_KIND: "cron", "cron": "nonsense"}),
    ],
)
def test_a_schedule_is_shown_in_the_plainest_way_that_fits(config: dict[str, Any], shown: dict[str, Any]) -> None:
    assert VIEW.shown({**config, "catchUp": "all"}) == {**shown, "catchUp": "all"}
    assert VIEW.written(VIEW.shown(config), config) == config


SHOWN = st.one_of(
    st.builds(lambda at, zone: {FORM_KIND: "daily", "atTime": at, **zone}, TIMES, ZONES),
    st.builds(
        lambda at, days, zone: {FORM_KIND: "weekly", "atTime": at, "onWeekdays": days, **zone},
        TIMES,
        st.sets(st.sampled_from(WEEK), min_size=1).map(lambda days: [day for day in WEEK if day in days]),
        ZONES,
    ),
    st.builds(
        lambda at, day, zone: {FORM_KIND: "monthly", "atTime": at, "onDayOfMonth": day, **zone},
        TIMES,
        st.sampled_from([*map(str, range(1, 32)), "L"]),
        ZONES,
    ),
    st.builds(
        lambda count, unit: {FORM_KIND: "every", "everyAmount": count, "everyUnit": unit},
        st.integers(1, 23),
        st.sampled_from(["minutes", "hours"]),
    ),
)


@given(SHOWN)
def test_what_is_filled_in_is_read_back_and_can_be_used(values: dict[str, Any]) -> None:
    config = VIEW.written(values, {})
    assert VIEW.shown(config) == values
    assert KIND.problems(config) == []


def test_the_times_are_those_of_the_zone_also_across_a_change_of_its_clocks() -> None:
    config = VIEW.written({FORM_KIND: "daily", "atTime": "09:00", "timeZone": "Europe/Berlin"}, {})
    times = schedule_of(config).upcoming(datetime(2026, 3, 28, tzinfo=UTC), 3)
    assert [time.hour for time in times] == [8, 7, 7]


@pytest.mark.parametrize(
    ("before", "kind", "expected"),
    [
        ({"cron": "30 7 * * *"}, "weekly", {"cron": "30 7 * * 1"}),
        (
            {"cron": "30 7 * * 2,4", "timeZone": "Asia/Tokyo"},
            "monthly",
            {"cron": "30 7 1 * *", "timeZone": "Asia/Tokyo"},
        ),
        ({"cron": "30 7 5 * *"}, "cron", {"cron": "30 7 5 * *"}),
        ({"intervalMinutes": 15}, "cron", {"cron": "*/15 * * * *"}),
        ({"intervalMinutes": 7}, "cron", {"cron": "0 9 * * *"}),
        ({"intervalMinutes": 15}, "daily", {"cron": "0 9 * * *"}),
        ({"cron": "*/5 8-18 * * *"}, "daily", {"cron": "0 9 * * *"}),
    ],
)
def test_another_way_keeps_what_fits(before: dict[str, Any], kind: str, expected: dict[str, Any]) -> None:
    assert VIEW.written({**VIEW.shown(before), FORM_KIND: kind}, before) == expected


def test_an_expression_is_shown_as_such_where_that_is_wanted() -> None:
    assert VIEW.shown({"cron": "30 7 * * *"}, "cron") == {FORM_KIND: "cron", "cron": "30 7 * * *"}
