"""Actions that are polled: every new item in their list starts the workflow once, whatever comes between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from flowforge.triggers.kinds import find_kind
from flowforge.triggers.polling import memory
from flowforge.triggers.polling.poll import PollLimits
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from tests.services.changing_list import ChangingList
from tests.services.serving import serving
from tests.statements import counting_statements
from tests.triggers.registrations import change, events, register, trigger
from workers.polls import enqueue_due, run_poll


@pytest.fixture
def api() -> Iterator[ChangingList]:
    server = ChangingList()
    with serving(server):
        yield server


def polled(engine: Engine, api: ChangingList, **config: Any) -> UUID:
    written = {"url": f"{api.url}/orders", "items": "body.data", "itemId": "id"} | config
    created = datetime.now(UTC) - timedelta(minutes=1)
    return register(engine, "http_request", written, created_at=created, updated_at=created)


def orders(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "state": "open"} for number in numbers]


def ids(engine: Engine, trigger_id: UUID) -> list[int]:
    """Of the items that have become events, in the order of their acceptance."""
    return [event.payload["item"]["id"] for event in events(engine, trigger_id)]


def remembered(engine: Engine, trigger_id: UUID) -> int:
    with engine.connect() as connection:
        return memory.load(connection, trigger_id).remembered


class TestWhatIsNew:
    def test_the_first_poll_only_remembers(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api)
        api.shows(*orders(1, 2))
        run_poll(backends, new)
        assert events(engine, new) == []
        api.shows(*orders(1, 2, 3))
        run_poll(backends, new)
        run_poll(backends, new)
        [event] = events(engine, new)
        assert event.trigger_type == "http_request"
        assert event.payload == {"item": {"id": 3, "state": "open"}}
        assert event.metadata["source"] == "http_request"
        row = trigger(engine, new)
        assert row["last_error"] is None
        assert row["last_triggered_at"] is not None
        assert row["next_scheduled_at"] > datetime.now(UTC) + timedelta(minutes=4)

    def test_an_empty_first_list_counts_as_seen(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api)
        run_poll(backends, new)
        api.shows(*orders(1))
        run_poll(backends, new)
        assert ids(engine, new) == [1]

    def test_it_may_start_with_what_is_there(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api, startWith="all")
        api.shows(*orders(1, 2))
        run_poll(backends, new)
        assert ids(engine, new) == [1, 2]

    def test_changes_count_where_they_are_wanted(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new, changed = polled(engine, api), polled(engine, api, watch="changed")
        for state in ("open", "paid", "paid", "open"):
            api.shows({"id": 1, "state": state})
            run_poll(backends, new)
            run_poll(backends, changed)
        assert events(engine, new) == []
        assert [event.payload["item"]["state"] for event in events(engine, changed)] == ["paid", "open"]

    def test_without_an_id_the_content_tells_items_apart(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        new = polled(engine, api, itemId=None)
        api.shows({"a": 1, "b": 2})
        run_poll(backends, new)
        api.shows({"b": 2, "a": 1}, {"a": 1, "b": 2}, {"a": 2})
        run_poll(backends, new)
        assert [event.payload["item"] for event in events(engine, new)] == [{"a": 1, "b": 2}, {"a": 2}]

    def test_items_may_be_anything(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api, itemId=None)
        run_poll(backends, new)
        api.shows("text", 7, None, ["a"], "text")
        run_poll(backends, new)
        assert [event.payload["item"] for event in events(engine, new)] == ["text", 7, None, ["a"], "text"]

    def test_of_two_items_with_one_id_the_first_counts(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        new = polled(engine, api)
        run_poll(backends, new)
        api.shows({"id": 1, "n": "first"}, {"id": 1, "n": "second"}, {"n": "without"})
        run_poll(backends, new)
        assert [event.payload["item"]["n"] for event in events(engine, new)] == ["first", "without"]

    def test_what_only_grows(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api, growing="at", query={"since": "{{ trigger.highest }}"})
        api.shows({"id": 1, "at": "2026-03-04T05:00:00Z"}, {"id": 2, "at": "2026-03-04T06:00:00Z"})
        run_poll(backends, new)
        late = {"id": 3, "at": "2026-03-04T05:30:00Z"}
        api.shows(late, {"id": 4, "at": "2026-03-04T08:00:00+02:00"}, {"id": 5, "at": "2999-01-01T00:00:00Z"})
        run_poll(backends, new)
        api.shows({"id": 6, "at": "2026-03-04T07:00:00Z"})
        run_poll(backends, new)
        assert ids(engine, new) == [4, 5, 6]
        assert [path.partition("since=")[2] for path in api.paths] == [
            "",
            "2026-03-04T06%3A00%3A00Z",
            "2026-03-04T08%3A00%3A00%2B02%3A00",
        ]

    def test_all_of_a_poll_may_be_one_event(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api, eventPer="poll")
        run_poll(backends, new)
        api.shows(*orders(1, 2, 3))
        run_poll(backends, new)
        run_poll(backends, new)
        [event] = events(engine, new)
        assert event.payload == {"items": orders(1, 2, 3), "count": 3}

    def test_more_than_one_poll_takes_waits_for_the_next_which_comes_at_once(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        new = polled(engine, api, most=2)
        run_poll(backends, new)
        api.shows(*orders(1, 2, 3))
        run_poll(backends, new)
        assert ids(engine, new) == [1, 2]
        assert trigger(engine, new)["next_scheduled_at"] <= datetime.now(UTC)
        run_poll(backends, new)
        assert ids(engine, new) == [1, 2, 3]


class TestMemory:
    def test_it_survives_edits(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api)
        api.shows(*orders(1, 2))
        run_poll(backends, new)
        edited = {"url": f"{api.url}/orders?limit=50", "items": "body.data", "itemId": "id", "intervalMinutes": 1}
        change(engine, new, configuration=edited, updated_at=datetime.now(UTC))
        api.shows(*orders(1, 2, 3))
        run_poll(backends, new)
        assert ids(engine, new) == [3]

    def test_an_edit_of_what_asks_for_more_than_the_highest_loses_nothing(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        new = polled(engine, api, growing="id")
        api.shows(*orders(1, 2))
        run_poll(backends, new)
        edited = {"url": f"{api.url}/orders?fields=all", "items": "body.data", "itemId": "id", "growing": "id"}
        change(engine, new, configuration=edited, updated_at=datetime.now(UTC))
        api.shows(*orders(3))
        run_poll(backends, new)
        assert ids(engine, new) == [3]

    def test_what_a_poll_costs_does_not_grow_with_what_was_seen(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        sent = []
        for count in (1, 2_000):
            new = polled(engine, api)
            api.shows(*orders(*range(count)))
            run_poll(backends, new)
            with counting_statements(backends.engine) as statements:
                run_poll(backends, new)
            sent.append(len(statements))
        assert sent[0] == sent[1] <= 12

    def test_another_list_begins_anew(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api)
        api.shows(*orders(1, 2))
        run_poll(backends, new)
        other = {"url": f"{api.url}/bills", "items": "body.data", "itemId": "id"}
        change(engine, new, configuration=other, updated_at=datetime.now(UTC))
        api.shows(*orders(7, 8))
        run_poll(backends, new)
        api.shows(*orders(7, 8, 9))
        run_poll(backends, new)
        assert ids(engine, new) == [9]

    def test_it_forgets_what_was_not_there_for_a_month_of_polls(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        new = polled(engine, api)
        api.shows(*orders(1, 2))
        run_poll(backends, new)
        age(engine, new, timedelta(days=40))
        api.shows(*orders(2))
        run_poll(backends, new)  # the first after a long rest forgets nothing
        assert remembered(engine, new) == 2
        run_poll(backends, new)
        assert remembered(engine, new) == 1
        assert events(engine, new) == []

    def test_it_has_an_end(
        self, backends: Backends, engine: Engine, api: ChangingList, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(memory, "MOST_KEPT", 3)
        new = polled(engine, api, startWith="all")
        for first in (1, 3, 5):
            api.shows(*orders(first, first + 1))
            run_poll(backends, new)
        assert remembered(engine, new) == 3
        assert ids(engine, new) == [1, 2, 3, 4, 5, 6]

    def test_it_goes_with_its_trigger(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api)
        api.shows(*orders(1))
        run_poll(backends, new)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM trigger_service.trigger_registrations WHERE id = :id"), {"id": new})
            assert connection.scalar(text("SELECT count(*) FROM trigger_service.polled_items")) == 0


def age(engine: Engine, trigger_id: UUID, by: timedelta) -> None:
    with engine.begin() as connection:
        for statement in (
            "UPDATE trigger_service.polled_items SET seen_at = seen_at - :by WHERE trigger_id = :id",
            "UPDATE trigger_service.poll_states SET polled_at = polled_at - :by WHERE trigger_id = :id",
        ):
            connection.execute(text(statement), {"by": by, "id": trigger_id})


class Crash(BaseException):
    """The process ends here."""


class TestOnce:
    def test_polls_at_the_same_time_accept_each_item_once(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        new = polled(engine, api)
        run_poll(backends, new)
        api.shows(*orders(*range(30)))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: run_poll(backends, new, PollLimits(items_at_once=7)), range(4)))
        run_poll(backends, new)
        assert sorted(ids(engine, new)) == list(range(30))

    @pytest.mark.parametrize(
        "point",
        [
            "flowforge.triggers.polling.memory.move",
            "flowforge.engine.intake.record",
            "flowforge.engine.intake.announce",
            "flowforge.triggers.polling.memory.tidy_up",
            "flowforge.triggers.polling.polling._note_success",
        ],
    )
    def test_wherever_a_poll_ends_each_item_counts_once(
        self, backends: Backends, engine: Engine, api: ChangingList, monkeypatch: pytest.MonkeyPatch, point: str
    ) -> None:
        def crash(*_: Any, **__: Any) -> None:
            raise Crash

        new = polled(engine, api)
        run_poll(backends, new)
        api.shows(*orders(1, 2, 3))
        with monkeypatch.context() as broken:
            broken.setattr(point, crash)
            with pytest.raises(Crash):
                run_poll(backends, new, PollLimits(items_at_once=2))
        run_poll(backends, new, PollLimits(items_at_once=2))
        assert ids(engine, new) == [1, 2, 3]


class TestTrouble:
    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({"data": "none"}, "there is no list at body.data"),
            ({"error": "x"}, "there is no list at body.data"),
            ("not JSON at all", "there is no list at body.data"),
            ({"data": [{"name": "a"}, {"name": "b"}]}, "itemId: no item has id"),
            ({"data": [1] * 20_001}, "has 20,001 items; at most 20,000"),
            ({"data": [1] * 1_000_000}, "the step's output has"),
        ],
        ids=["a text", "an error", "no JSON", "no ids", "too many", "a million"],
    )
    def test_what_is_no_list_of_items_is_told(
        self, backends: Backends, engine: Engine, api: ChangingList, body: Any, told: str
    ) -> None:
        new = polled(engine, api)
        run_poll(backends, new)
        api.answers(body)
        run_poll(backends, new)
        assert told in trigger(engine, new)["last_error"]
        assert events(engine, new) == []

    @pytest.mark.parametrize("value", ["soon", True, ["2026"], "9" * 200, {"a": 1}])
    def test_what_does_not_grow_is_told(
        self, backends: Backends, engine: Engine, api: ChangingList, value: Any
    ) -> None:
        new = polled(engine, api, growing="at")
        api.shows({"id": 1, "at": value})
        run_poll(backends, new)
        assert "neither a number nor a time" in trigger(engine, new)["last_error"]

    def test_a_failure_is_told_without_secrets_and_forgets_nothing(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        sealed = backends.vault.seal("hush-hush-hush")
        new = polled(engine, api, bearerToken=sealed)
        api.shows(*orders(1))
        run_poll(backends, new)
        assert api.headers_seen[0]["Authorization"] == "Bearer hush-hush-hush"
        api.answers({"you sent": "hush-hush-hush"}, 500)
        run_poll(backends, new)
        row = trigger(engine, new)
        assert "500" in row["last_error"]
        assert "hush-hush" not in row["last_error"]
        api.shows(*orders(1, 2))
        run_poll(backends, new)
        assert ids(engine, new) == [2]

    def test_a_connection_that_is_gone_is_told(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api, connection="Nowhere")
        run_poll(backends, new)
        assert "there is no connection 'Nowhere'" in trigger(engine, new)["last_error"]

    def test_a_trigger_that_is_deleted_meanwhile_starts_nothing(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        new = polled(engine, api, startWith="all")
        api.shows(*orders(1))

        def delete() -> None:
            with engine.begin() as connection:
                connection.execute(
                    text("DELETE FROM trigger_service.trigger_registrations WHERE id = :id"), {"id": new}
                )

        api.before_answer = delete
        run_poll(backends, new)
        assert events(engine, new) == []

    @pytest.mark.parametrize("columns", [{"enabled": False}, {"user_id": uuid4()}, {"configuration": {}}])
    def test_a_trigger_that_is_changed_meanwhile_starts_nothing(
        self, backends: Backends, engine: Engine, api: ChangingList, columns: dict[str, Any]
    ) -> None:
        new = polled(engine, api, startWith="all")
        api.shows(*orders(1))
        api.before_answer = lambda: change(engine, new, **columns)
        run_poll(backends, new)
        assert (events(engine, new), remembered(engine, new)) == ([], 0)


class TestConfig:
    @pytest.mark.parametrize(
        ("config", "pointer"),
        [
            ({}, "/url"),
            ({"url": "https://x.test", "items": "a[["}, "/items"),
            ({"url": "https://x.test", "itemId": "'"}, "/itemId"),
            ({"url": "https://x.test", "watch": "everything"}, "/watch"),
            ({"url": "https://x.test", "most": 0}, "/most"),
            ({"url": "https://x.test", "cron": "* *"}, "/cron"),
            ({"url": "https://x.test", "intervalMinutes": 5, "cron": "* * * * *"}, "/cron"),
            ({"url": "https://x.test", "timeZone": "Moon"}, "/timeZone"),
            ({"url": "https://x.test", "timeZone": "EST"}, "/timeZone"),
            ({"url": "https://x.test", "method": "FETCH"}, "/method"),
            ({"url": "https://x.test/{{ steps.other.id }}"}, "/url"),
            ({"url": "https://x.test/{{ trigger. }}"}, "/url"),
        ],
    )
    def test_what_cannot_be_used_is_said_beside_its_field(self, config: dict[str, Any], pointer: str) -> None:
        kind = find_kind("http_request")
        assert kind is not None
        assert pointer in [problem.pointer for problem in kind.problems(config)]

    def test_what_can_be_used(self) -> None:
        kind = find_kind("HTTP_REQUEST")
        assert kind is not None
        config = {"url": "https://x.test/{{ trigger.since }}", "headers": {"X": "{{ secrets.KEY }}"}, "cron": "@daily"}
        assert kind.problems(config) == []
        assert kind.summary(config).subject == "https://x.test/{{ trigger.since }}"

    def test_it_comes_due_as_it_says(self, backends: Backends, engine: Engine, api: ChangingList) -> None:
        new = polled(engine, api, cron="0 0 1 1 *")
        change(engine, new, next_scheduled_at=datetime.now(UTC))
        assert enqueue_due(backends, backends.redis) == 1
        run_poll(backends, new)
        due = trigger(engine, new)["next_scheduled_at"]
        assert (due.month, due.day) == (1, 1)

    def test_trying_it_out_shows_what_is_there_and_remembers_nothing(
        self, backends: Backends, engine: Engine, api: ChangingList
    ) -> None:
        api.shows(*orders(*range(30)))
        config = {"url": api.url, "items": "body.data", "itemId": "id"}
        result = Triggers(backends.settings, backends.vault).test_configuration(
            backends, uuid4(), "http_request", config
        )
        assert result.works
        assert result.count == 30
        assert result.items == orders(*range(10, 30))
