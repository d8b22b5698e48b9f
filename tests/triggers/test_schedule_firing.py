"""Due schedules lead to events: once per due time, whoever looks and whatever lies in the table."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import Engine

from flowforge import jsonio
from flowforge.errors import Unavailable
from flowforge.events import TRIGGER_EVENTS, TriggerEvent
from flowforge.settings import Settings
from flowforge.triggers.schedules import firing
from flowforge.triggers.schedules.firing import CATCH_UP_PER_TICK, fire_due, start_unscheduled
from flowforge.triggers.schedules.schedule import Due, Schedule
from flowforge.wiring import Backends
from tests.statements import counting_statements
from tests.triggers.registrations import change, event_count, events, register, trigger

NOW = datetime(2026, 3, 4, 12, 0, 1, tzinfo=UTC)
DUE = NOW - timedelta(seconds=1)


def test_a_due_schedule_fires_and_gets_its_next_time(backends: Backends, engine: Engine) -> None:
    schedule = register(engine, "scheduler", {"intervalMinutes": 15}, next_scheduled_at=DUE)
    edited = trigger(engine, schedule)["updated_at"]

    assert fire_due(backends, NOW) == 1

    [event] = events(engine, schedule)
    assert event.payload == {}
    assert event.trigger_type == "scheduler"
    assert event.metadata == {
        "source": "scheduler",
        "scheduledTime": jsonio.format_time(DUE),
        "executedAt": jsonio.format_time(NOW),
        "intervalMinutes": 15,
    }
    row = trigger(engine, schedule)
    assert row["next_scheduled_at"] == DUE + timedelta(minutes=15)
    assert row["last_triggered_at"] == row["last_success_at"] == NOW
    assert row["updated_at"] == edited
    assert fire_due(backends, NOW) == 0


def test_the_event_is_announced_on_its_topic(backends: Backends, engine: Engine) -> None:
    subscription = backends.bus.subscribe([TRIGGER_EVENTS], "test", "member")
    schedule = register(engine, "scheduler", {"intervalMinutes": 1}, next_scheduled_at=DUE)
    fire_due(backends, NOW)
    [delivery] = subscription.poll(10, 5)
    message = TriggerEvent.decode(delivery.value)
    assert message.event_id == events(engine, schedule)[0].id
    assert message.trigger_type == "scheduler"
    assert delivery.key == str(message.workflow_id)
    subscription.close()


def test_cron_fires_on_the_clock_of_its_zone(backends: Backends, engine: Engine) -> None:
    config = {"cron": "0 13 * * *", "timeZone": "Europe/Berlin"}
    schedule = register(engine, "scheduler", config, next_scheduled_at=DUE)
    fire_due(backends, NOW)
    metadata = events(engine, schedule)[0].metadata
    assert (metadata["cron"], metadata["timeZone"]) == ("0 13 * * *", "Europe/Berlin")
    assert trigger(engine, schedule)["next_scheduled_at"] == DUE + timedelta(days=1)


@pytest.mark.parametrize("columns", [{"enabled": False}, {"next_scheduled_at": NOW + timedelta(seconds=1)}])
def test_what_is_not_due_or_disabled_stays_silent(backends: Backends, engine: Engine, columns: dict[str, Any]) -> None:
    register(engine, "scheduler", {"intervalMinutes": 1}, **{"next_scheduled_at": DUE} | columns)
    register(engine, "email", {"intervalMinutes": 1}, next_scheduled_at=DUE)
    assert fire_due(backends, NOW) == 0


@pytest.mark.parametrize("stored", ["SCHEDULER", "Scheduler"])
def test_the_type_is_compared_without_case(backends: Backends, engine: Engine, stored: str) -> None:
    schedule = register(engine, stored, None, next_scheduled_at=DUE)
    assert fire_due(backends, NOW) == 1
    assert events(engine, schedule)[0].trigger_type == "scheduler"


@pytest.mark.parametrize(
    "broken",
    [{"intervalMinutes": 0}, {"intervalMinutes": "often"}, {"cron": "never"}, ["a", "list"], "text", {"catchUp": 3}],
)
def test_a_broken_row_is_noted_and_stops_nobody(backends: Backends, engine: Engine, broken: Any) -> None:
    bad = register(engine, "scheduler", broken, next_scheduled_at=DUE - timedelta(hours=1))
    good = register(engine, "scheduler", {}, next_scheduled_at=DUE)
    assert fire_due(backends, NOW) == 1
    assert len(events(engine, good)) == 1
    row = trigger(engine, bad)
    assert row["last_error"]
    assert row["last_error_at"] == NOW
    assert row["last_success_at"] is None
    assert row["next_scheduled_at"] > NOW


def test_missed_times_collapse_into_the_last(backends: Backends, engine: Engine) -> None:
    since = DUE - timedelta(hours=5)
    schedule = register(engine, "scheduler", {"intervalMinutes": 60}, next_scheduled_at=since)
    assert fire_due(backends, NOW) == 1
    assert events(engine, schedule)[0].metadata["scheduledTime"] == jsonio.format_time(DUE)


def test_all_missed_times_fire_over_several_ticks(backends: Backends, engine: Engine) -> None:
    missed = CATCH_UP_PER_TICK * 2 + 5
    since = DUE - timedelta(minutes=missed - 1)
    schedule = register(engine, "scheduler", {"intervalMinutes": 1, "catchUp": "all"}, next_scheduled_at=since)
    assert [fire_due(backends, NOW) for _ in range(4)] == [CATCH_UP_PER_TICK, CATCH_UP_PER_TICK, 5, 0]
    times = sorted(event.metadata["scheduledTime"] for event in events(engine, schedule))
    assert times == [jsonio.format_time(since + timedelta(minutes=minute)) for minute in range(missed)]


def test_all_that_is_due_fires_in_one_tick(backends: Backends, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "BATCH", 1)
    for _ in range(30):
        register(engine, "scheduler", {"intervalMinutes": 15}, next_scheduled_at=DUE)
    assert fire_due(backends, NOW) == 30


class TestCatchingUp:
    """Beside schedules that fire each of many missed times."""

    MISSED = CATCH_UP_PER_TICK + 5
    CATCHES_UP: ClassVar = {
        "configuration": {"intervalMinutes": 1, "catchUp": "ALL"},
        "next_scheduled_at": DUE - timedelta(minutes=MISSED - 1),
    }

    def test_each_has_one_turn_in_a_tick(
        self, backends: Backends, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(firing, "BATCH", 2)
        behind = [register(engine, "scheduler", **self.CATCHES_UP) for _ in range(3)]
        punctual = [register(engine, "scheduler", {}, next_scheduled_at=DUE) for _ in range(3)]
        fire_due(backends, NOW)
        assert [len(events(engine, schedule)) for schedule in behind] == [CATCH_UP_PER_TICK] * 3
        assert [len(events(engine, schedule)) for schedule in punctual] == [1] * 3
        fire_due(backends, NOW)
        assert [len(events(engine, schedule)) for schedule in behind] == [self.MISSED] * 3

    def test_they_come_last(self, backends: Backends, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(firing, "BATCH", 2)
        monkeypatch.setattr(firing, "LONGEST_TICK_SECONDS", -1.0)
        behind = [register(engine, "scheduler", **self.CATCHES_UP) for _ in range(2)]
        others = [
            register(engine, "scheduler", configuration, next_scheduled_at=DUE)
            for configuration in ({"intervalMinutes": 1, "catchUp": "all"}, None)
        ]
        fire_due(backends, NOW)
        assert [len(events(engine, schedule)) for schedule in behind + others] == [0, 0, 1, 1]


def test_schedules_that_are_due_together_take_the_statements_of_one(backends: Backends, engine: Engine) -> None:
    def statements(schedules: int) -> int:
        for _ in range(schedules):
            register(engine, "scheduler", {"cron": "0 * * * *"}, next_scheduled_at=DUE)
        with counting_statements(backends.engine) as sent:
            assert fire_due(backends, NOW) == schedules
        return len(sent)

    assert statements(1) == statements(30)


def test_a_time_that_many_schedules_share_is_computed_once(
    backends: Backends, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[datetime] = []
    due = Schedule.due

    def note(schedule: Schedule, since: datetime, now: datetime, limit: int) -> Due:
        computed.append(since)
        return due(schedule, since, now, limit)

    monkeypatch.setattr(Schedule, "due", note)
    for _ in range(30):
        register(engine, "scheduler", {"cron": "0 * * * *", "timeZone": "Europe/Berlin"}, next_scheduled_at=DUE)
    assert fire_due(backends, NOW) == 30
    assert computed == [DUE]


def test_skipped_times_leave_no_trace_but_the_next_one(backends: Backends, engine: Engine) -> None:
    config = {"intervalMinutes": 60, "catchUp": "none"}
    schedule = register(engine, "scheduler", config, next_scheduled_at=DUE - timedelta(hours=5, minutes=30))
    assert fire_due(backends, NOW) == 0
    row = trigger(engine, schedule)
    assert row["next_scheduled_at"] == DUE + timedelta(minutes=30)
    assert row["last_triggered_at"] is None


def test_schedulers_that_look_at_the_same_time_fire_once(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "BATCH", 20)
    count, schedulers = 207, 4
    for _ in range(count):
        register(engine, "scheduler", {"intervalMinutes": 1}, next_scheduled_at=DUE)
    barrier = threading.Barrier(schedulers)

    def look() -> int:
        backends = Backends(settings, "scheduler")
        try:
            barrier.wait()
            return sum(fire_due(backends, NOW) for _ in range(3))
        finally:
            backends.close()

    with ThreadPoolExecutor(schedulers) as pool:
        fired = [future.result() for future in [pool.submit(look) for _ in range(schedulers)]]
    assert sum(fired) == event_count(engine) == count


def test_without_the_bus_the_events_are_safe(backends: Backends, engine: Engine) -> None:
    schedule = register(engine, "scheduler", {}, next_scheduled_at=DUE)
    settings = backends.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    cut_off = Backends(settings, "cut off")
    assert fire_due(cut_off, NOW) == 1
    cut_off.close()
    assert len(events(engine, schedule)) == 1


def test_without_the_database_nothing_is_pretended(backends: Backends) -> None:
    settings = backends.settings.model_copy(update={"postgres_url_setting": "postgresql://x@127.0.0.1:1/x"})
    with pytest.raises(Unavailable):
        fire_due(Backends(settings, "cut off"), NOW)


class TestAdoptedRows:
    def test_a_schedule_without_a_time_starts_one_interval_from_now(self, backends: Backends, engine: Engine) -> None:
        schedule = register(engine, "Scheduler", {"intervalMinutes": "15"})
        assert start_unscheduled(backends, NOW) == 1
        assert trigger(engine, schedule)["next_scheduled_at"] == NOW + timedelta(minutes=15)
        assert start_unscheduled(backends, NOW) == 0

    def test_a_broken_one_is_noted(self, backends: Backends, engine: Engine) -> None:
        schedule = register(engine, "scheduler", {"intervalMinutes": -1})
        start_unscheduled(backends, NOW)
        assert "intervalMinutes" in trigger(engine, schedule)["last_error"]

    def test_disabled_ones_wait_for_their_owner(self, backends: Backends, engine: Engine) -> None:
        schedule = register(engine, "scheduler", {}, enabled=False)
        assert start_unscheduled(backends, NOW) == 0
        change(engine, schedule, enabled=True)
        assert start_unscheduled(backends, NOW) == 1
