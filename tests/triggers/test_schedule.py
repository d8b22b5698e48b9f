"""Schedules: what a configuration means, and when it fires, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge.errors import Invalid
from flowforge.triggers.kinds.scheduler import KIND, schedule_of
from flowforge.triggers.schedules.schedule import CatchUp, Every, Schedule

MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2060, 1, 1)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "Pacific/Apia",
        "America/St_Johns",
        "Asia/Gaza",
    ]
)
CRONS = st.sampled_from(
    [
        "* * * * *",
        "*/15 * * * *",
        "0 * * * *",
        "30 2 * * *",
        "0 0 * * *",
        "15,45 1-3 * * *",
        "0 9 * * MON-FRI",
        "59 23 L * *",
        "0 */5 * * *",
        "0 0 29 2 *",
    ]
)


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def cron(expression: str, zone: str = "UTC", **more: Any) -> Schedule:
    return schedule_of({"cron": expression, "timeZone": zone, **more})


def every(minutes: float, catch_up: str = "last") -> Schedule:
    return schedule_of({"intervalMinutes": minutes, "catchUp": catch_up})


class TestConfiguration:
    @pytest.mark.parametrize(
        ("value", "minutes"), [(15, 15), ("15", 15), (1, 1), (1.5, 1.5), (" 20 ", 20), (None, 60), ("", 60)]
    )
    def test_an_interval_is_a_number_or_a_text_that_is_one(self, value: Any, minutes: float) -> None:
        schedule = schedule_of({"intervalMinutes": value})
        assert schedule.pattern == Every(timedelta(minutes=minutes))
        assert schedule.interval_minutes == minutes

    def test_without_configuration_it_is_hourly_and_collapses_missed_times(self) -> None:
        assert schedule_of({}) == Schedule(Every(timedelta(hours=1)), CatchUp.LAST)

    def test_unknown_keys_are_ignored(self) -> None:
        assert schedule_of({"scheduleTime": "09:00", "intervalMinutes": 5}).interval_minutes == 5

    @pytest.mark.parametrize(
        ("config", "pointer"),
        [
            ({"intervalMinutes": 0}, "/intervalMinutes"),
            ({"intervalMinutes": 0.5}, "/intervalMinutes"),
            ({"intervalMinutes": -5}, "/intervalMinutes"),
            ({"intervalMinutes": "soon"}, "/intervalMinutes"),
            ({"intervalMinutes": True}, "/intervalMinutes"),
            ({"intervalMinutes": float("nan")}, "/intervalMinutes"),
            ({"intervalMinutes": 10**400}, "/intervalMinutes"),
            ({"intervalMinutes": [5]}, "/intervalMinutes"),
            ({"cron": "whenever"}, "/cron"),
            ({"cron": "61 * * * *"}, "/cron"),
            ({"cron": "* * * * * *"}, "/cron"),
            ({"cron": 5}, "/cron"),
            ({"cron": "0 0 30 2 *"}, "/cron"),
            ({"cron": "0 0 31 4,6,9,11 *"}, "/cron"),
            ({"cron": "0 0 1 1 * " + " " * 300}, "/cron"),
            ({"cron": "0 0 * * *", "intervalMinutes": 5}, "/cron"),
            ({"cron": "0 0 * * *", "intervalSeconds": 15}, "/cron"),
            ({"intervalMinutes": 5, "intervalSeconds": 15}, "/intervalSeconds"),
            ({"intervalSeconds": 9.9}, "/intervalSeconds"),
            ({"intervalSeconds": True}, "/intervalSeconds"),
            ({"intervalSeconds": "soon"}, "/intervalSeconds"),
            ({"cron": "@reboot"}, "/cron"),
            ({"cron": "@daily 5"}, "/cron"),
            ({"cron": "0 0 * * *", "timeZone": "Europe/Atlantis"}, "/timeZone"),
            ({"cron": "0 0 * * *", "timeZone": "../../etc/passwd"}, "/timeZone"),
            ({"cron": "0 0 * * *", "timeZone": "Europe"}, "/timeZone"),
            ({"timeZone": 2}, "/timeZone"),
            ({"catchUp": "some"}, "/catchUp"),
        ],
    )
    def test_what_cannot_be_used_is_refused_by_name(self, config: dict[str, Any], pointer: str) -> None:
        with pytest.raises(Invalid) as refused:
            schedule_of(config)
        assert [problem.pointer for problem in refused.value.problems] == [pointer]

    @pytest.mark.parametrize(
        ("macro", "fields"),
        [
            ("@hourly", "0 * * * *"),
            (" @Daily ", "0 0 * * *"),
            ("@midnight", "0 0 * * *"),
            ("@weekly", "0 0 * * 0"),
            ("@monthly", "0 0 1 * *"),
            ("@yearly", "0 0 1 1 *"),
            ("@annually", "0 0 1 1 *"),
        ],
    )
    def test_the_names_of_cron_stand_for_five_fields(self, macro: str, fields: str) -> None:
        zone = {"timeZone": "Europe/Berlin"}
        assert schedule_of({"cron": macro, **zone}).pattern == schedule_of({"cron": fields, **zone}).pattern

    @pytest.mark.parametrize(
        ("zone", "hint"),
        [
            ("right/Europe/Berlin", "did you mean Europe/Berlin?"),
            ("posix/Asia/Tokyo", "did you mean Asia/Tokyo?"),
            ("europe/berlin", "did you mean Europe/Berlin?"),
            ("Berlin", "did you mean Europe/Berlin?"),
            ("US/Pacifik", "did you mean US/Pacific?"),
            ("localtime", "another one on every machine"),
            ("posixrules", "such as Europe/Berlin"),
            ("Factory", "such as Europe/Berlin"),
            ("EST", "did you mean America/New_York?"),
            ("MST", "did you mean America/Denver?"),
        ],
    )
    def test_a_zone_that_is_no_place_is_refused_with_the_one_that_is(self, zone: str, hint: str) -> None:
        [problem] = KIND.problems({"cron": "0 9 * * *", "timeZone": zone})
        assert problem.pointer == "/timeZone"
        assert hint in problem.message

    @pytest.mark.parametrize("zone", ["EST", "EST5EDT", "Etc/GMT+5"])
    def test_what_is_stored_goes_on(self, zone: str) -> None:
        noon = schedule_of({"cron": "0 12 * * *", "timeZone": zone}).next_after(datetime(2026, 1, 5, tzinfo=UTC))
        assert noon.hour == 17

    def test_intervals_may_have_seconds(self) -> None:
        start = datetime(2026, 1, 5, tzinfo=UTC)
        assert schedule_of({"intervalSeconds": "10"}).upcoming(start, 2) == [
            start + timedelta(seconds=10),
            start + timedelta(seconds=20),
        ]

    def test_every_problem_is_told_at_once(self) -> None:
        with pytest.raises(Invalid) as refused:
            schedule_of({"intervalMinutes": 0, "catchUp": "some"})
        assert [problem.pointer for problem in refused.value.problems] == ["/intervalMinutes", "/catchUp"]


# Each row: zone, expression, the day before the change, and the local times and offsets that follow.
CLOCK_CHANGES = [
    # Spring: a skipped time fires at the first moment after the gap, once.
    ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00", ["03-29 03:00 +0200", "03-30 02:30 +0200"]),
    ("Europe/Berlin", "0,30 2 * * *", "2026-03-28T12:00", ["03-29 03:00 +0200", "03-30 02:00 +0200"]),
    ("Europe/Berlin", "0 2,3 * * *", "2026-03-28T12:00", ["03-29 03:00 +0200", "03-30 02:00 +0200"]),
    ("America/New_York", "30 2 * * *", "2026-03-07T12:00", ["03-08 03:00 -0400", "03-09 02:30 -0400"]),
    ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00", ["10-04 02:30 +1100", "10-05 02:15 +1100"]),
    ("America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00", ["11-04 01:00 -0200", "11-05 00:00 -0200"]),
    ("Africa/Casablanca", "30 2 * * *", "2026-03-21T12:00", ["03-22 03:00 +0100", "03-23 02:30 +0100"]),
    ("Pacific/Apia", "0 9 * * *", "2011-12-29T12:00", ["12-31 00:00 +1400", "12-31 09:00 +1400"]),
    # Autumn: a repeated time fires once, at its first pass.
    ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),
    ("America/New_York", "30 1 * * *", "2026-10-31T12:00", ["11-01 01:30 -0400", "11-02 01:30 -0500"]),
    ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00", ["04-05 01:45 +1100", "04-06 01:45 +1030"]),
    ("America/Sao_Paulo", "30 23 * * *", "2019-02-16T12:00", ["02-16 23:30 -0200", "02-17 23:30 -0300"]),
    ("Africa/Casablanca", "30 2 * * *", "2026-02-14T12:00", ["02-15 02:30 +0100", "02-16 02:30 +0000"]),
    # Expressions on `*` minutes or hours keep their real intervals through the change.
    ("Europe/Berlin", "0 * * * *", "2026-03-29T00:30", ["03-29 01:00 +0100", "03-29 03:00 +0200"]),
    (
        "Europe/Berlin",
        "0 * * * *",
        "2026-10-25T01:30",
        ["10-25 02:00 +0200", "10-25 02:00 +0100", "10-25 03:00 +0100"],
    ),
    (
        "Australia/Lord_Howe",
        "*/30 * * * *",
        "2026-04-05T01:10",
        ["04-05 01:30 +1100", "04-05 01:30 +1030", "04-05 02:00 +1030"],
    ),
    # No change at all.
    ("Asia/Kolkata", "30 2 * * *", "2026-03-28T12:00", ["03-29 02:30 +0530", "03-30 02:30 +0530"]),
    ("UTC", "30 2 * * *", "2026-10-24T12:00", ["10-25 02:30 +0000", "10-26 02:30 +0000"]),
]


@pytest.mark.parametrize(("zone", "expression", "start", "expected"), CLOCK_CHANGES)
def test_cron_where_clocks_change(zone: str, expression: str, start: str, expected: list[str]) -> None:
    upcoming = cron(expression, zone).upcoming(at(start, zone), len(expected))
    assert [due.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M %z") for due in upcoming] == expected


@settings(deadline=None)
@given(moment=MOMENTS, zone=ZONES, expression=CRONS)
def test_the_next_time_is_later_and_nothing_lies_between(moment: datetime, zone: str, expression: str) -> None:
    schedule = cron(expression, zone)
    following = schedule.next_after(moment)
    assert following > moment
    assert following.tzinfo is UTC
    assert schedule.next_after(following - timedelta(microseconds=1)) == following
    assert schedule.upcoming(moment, 3) == [
        following,
        schedule.next_after(following),
        schedule.next_after(schedule.next_after(following)),
    ]


@settings(deadline=None)
@given(moment=MOMENTS, zone=ZONES, hours=st.integers(0, 24 * 40), expression=CRONS)
def test_the_last_missed_time_is_found_without_a_walk(moment: datetime, zone: str, hours: int, expression: str) -> None:
    since = cron(expression, zone).next_after(moment)
    now = since + timedelta(hours=hours)
    walked = cron(expression, zone, catchUp="all").due(since, now, 10**6).times[-1] if hours < 48 else None
    due = cron(expression, zone).due(since, now, 1)
    assert len(due.times) == 1
    assert since <= due.times[0] <= now < due.next
    assert walked in (None, due.times[0])
    assert cron(expression, zone).next_after(due.times[0]) == due.next


class TestIntervals:
    @settings(deadline=None)
    @given(minutes=st.integers(1, 10_000), late=st.integers(0, 10**7), start=MOMENTS)
    def test_they_do_not_drift_however_late_they_are_seen(self, minutes: int, late: int, start: datetime) -> None:
        due = every(minutes).due(start, start + timedelta(seconds=late), 10)
        assert (due.next - start) % timedelta(minutes=minutes) == timedelta(0)
        assert due.next == due.times[0] + timedelta(minutes=minutes)

    def test_upcoming_times_count_from_the_trigger_s_next_one(self) -> None:
        upcoming = every(10).upcoming(at("2026-01-01T00:01:30"), 3, anchor=at("2026-01-01T00:04"))
        assert upcoming == [at("2026-01-01T00:04"), at("2026-01-01T00:14"), at("2026-01-01T00:24")]

    def test_the_first_time_is_one_interval_away(self) -> None:
        assert every(10).next_after(at("2026-01-01T00:01")) == at("2026-01-01T00:11")

    def test_clock_changes_mean_nothing_to_them(self) -> None:
        schedule = schedule_of({"intervalMinutes": 60, "timeZone": "Europe/Berlin"})
        before = at("2026-03-29T01:30", "Europe/Berlin")
        assert schedule.next_after(before) - before == timedelta(hours=1)


class TestCatchUp:
    since, now = at("2026-01-01T10:00"), at("2026-01-01T10:47:05")

    def test_last_collapses_what_was_missed(self) -> None:
        due = every(15).due(self.since, self.now, 10)
        assert due.times == (at("2026-01-01T10:45"),)
        assert due.next == at("2026-01-01T11:00")

    def test_all_fires_each(self) -> None:
        due = every(15, "all").due(self.since, self.now, 10)
        assert due.times == tuple(at(f"2026-01-01T10:{minute:02}") for minute in (0, 15, 30, 45))
        assert due.next == at("2026-01-01T11:00")

    def test_all_goes_on_later_where_there_are_too_many(self) -> None:
        first = every(15, "all").due(self.since, self.now, 3)
        assert len(first.times) == 3
        second = every(15, "all").due(first.next, self.now, 3)
        assert (*first.times, *second.times) == every(15, "all").due(self.since, self.now, 10).times

    def test_none_skips_what_was_missed(self) -> None:
        due = every(15, "none").due(self.since, self.now, 10)
        assert due.times == ()
        assert due.next == at("2026-01-01T11:00")

    @pytest.mark.parametrize("catch_up", ["all", "last", "none"])
    def test_a_time_that_is_met_fires_whatever_the_choice(self, catch_up: str) -> None:
        due = every(15, catch_up).due(self.since, self.since + timedelta(seconds=2), 10)
        assert due.times == (self.since,)
        assert due.next == at("2026-01-01T10:15")

    def test_years_of_downtime_cost_nothing(self) -> None:
        due = cron("* * * * *").due(at("2016-01-01T00:00"), self.now, 10)
        assert due.times == (at("2026-01-01T10:47"),)
