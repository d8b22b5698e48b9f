"""Forms whose fields follow from what is chosen in them: operations, ways to wait, schedules."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import FLOW, Builder
from tests.ui.test_pages import created


@pytest.fixture
def builder(ada: Browser, app: Flask) -> Builder:
    actions = [
        {"type": "HTML", "config": {"source": "<p>", "fields": [{"name": "title"}]}},
        {"type": "WAIT", "config": {"seconds": 90}},
    ]
    flow = {**FLOW, "trigger": {"type": "scheduler", "config": {"cron": "30 9 * * *"}}, "actions": actions}
    return Builder(ada, app, created(ada, flow))


def fields_on(page: str) -> list[str]:
    """The names of the fields of the config that are drawn."""
    names = re.findall(r'<(?:input|select|textarea)[^>]*?name="config\.(\w+)"', page)
    return list(dict.fromkeys(names))


def config(builder: Builder, number: int) -> Any:
    return builder.definition["actions"][number]["config"]


def test_a_step_shows_the_fields_of_its_operation(builder: Builder) -> None:
    assert fields_on(builder.page("/actions/0")) == ["operation", "source", "each"]
    assert 'value="add:config.fields"' in builder.page("/actions/0")
    fields = {"config.operation": "text", "config.operation.drawn": "extract", "config.source": "<p>"}
    builder.edit("", to="step", at="/actions/0", **fields, **{"config.each": "li"})
    page = builder.page("/actions/0")
    assert fields_on(page) == ["operation", "source"]
    assert 'value="add:config.fields"' not in page
    assert config(builder, 0)["each"] == "li"


def test_the_panel_is_drawn_anew_where_another_operation_is_chosen(builder: Builder) -> None:
    def sent(operation: str) -> str:
        data = {"at": "/actions/0", "step": "/actions/0", "csrf_token": builder.browser.token(builder.path)}
        chosen = {"config.operation": operation, "config.operation.drawn": "extract", "config.source": "<p>"}
        data |= {**chosen, "revision": str(builder.revision)}
        return builder.browser.client.post(f"{builder.path}/step", data=data, headers={"X-Part": "1"}).text

    assert 'name="config.operation"' not in sent("extract")
    assert 'name="config.operation"' in sent("markdown")


def test_a_wait_is_filled_in_by_its_kind(builder: Builder) -> None:
    assert fields_on(builder.page("/actions/1")) == ["formKind", "amount", "unit"]
    step = {"to": "step", "at": "/actions/1", "step": "/actions/1"}
    builder.edit("", **step, **{"config.formKind": "duration", "config.amount": "2", "config.unit": "days"})
    assert config(builder, 1) == {"seconds": 172800}
    answer = builder.edit(
        "", **step, **{"config.formKind": "until", "config.formKind.drawn": "duration"}, zone="Asia/Tokyo"
    )
    page = builder.browser.get(answer.location).text
    assert fields_on(page) == ["formKind", "moment", "timeZone"]
    moment = {"config.moment": "2026-07-01T09:00", "config.timeZone": "Asia/Tokyo"}
    builder.edit("", **step, **{"config.formKind": "until", **moment})
    assert config(builder, 1) == {"until": "2026-07-01T09:00:00+09:00"}
    builder.edit("", **step, **{"config.formKind": "approval", "config.formKind.drawn": "until", **moment})
    assert config(builder, 1) == {"for": "approval"}
    assert "If it is rejected" in builder.page("/actions/1")


def test_what_is_wrong_with_a_wait_stands_beside_the_field_that_is_drawn(builder: Builder) -> None:
    fields = {"config.formKind": "duration", "config.amount": "soon", "config.unit": "seconds"}
    builder.edit("", to="step", at="/actions/1", **fields)
    assert re.search(r'data-note="config/amount">[^<]+<', builder.page("/actions/1"))


def test_a_schedule_is_filled_in_as_people_say_it(builder: Builder) -> None:
    page = builder.page("trigger")
    assert fields_on(page) == ["formKind", "atTime", "timeZone", "catchUp"]
    assert 'value="09:30"' in page
    trigger = {"to": "trigger", "type": "scheduler", "drawn": "scheduler"}
    weekly = {"config.formKind": "weekly", "config.atTime": "08:05", "config.timeZone": "Europe/Berlin"}
    builder.edit("", **trigger, **weekly, **{"config.onWeekdays": ["1", "5"]})
    assert builder.definition["trigger"]["config"] == {"cron": "5 8 * * 1,5", "timeZone": "Europe/Berlin"}
    answer = builder.edit("", **trigger, **{**weekly, "config.formKind": "cron", "config.onWeekdays": ["1", "5"]})
    page = builder.browser.get(answer.location).text
    assert fields_on(page) == ["formKind", "cron", "timeZone", "catchUp"]
    assert 'value="5 8 * * 1,5"' in page


def test_a_new_schedule_has_the_zone_of_whoever_makes_it(builder: Builder) -> None:
    trigger = {"to": "trigger", "type": "scheduler", "drawn": "scheduler"}
    every = {"config.everyAmount": "2", "config.everyUnit": "hours"}
    builder.edit("", **trigger, **{"config.formKind": "every", **every})
    assert builder.definition["trigger"]["config"] == {"intervalMinutes": 120}
    builder.edit("", **trigger, **{"config.formKind": "daily", **every}, zone="America/Lima")
    assert builder.definition["trigger"]["config"] == {"cron": "0 9 * * *", "timeZone": "America/Lima"}


def test_the_next_runs_are_told_on_the_clock_of_the_schedule(builder: Builder) -> None:
    trigger = {"to": "trigger", "type": "scheduler", "drawn": "scheduler", "config.formKind": "daily"}
    builder.edit("", **trigger, **{"config.atTime": "07:15", "config.timeZone": "Asia/Kathmandu"})
    page = builder.page("trigger")
    assert "Asia/Kathmandu" in page
    assert len(re.findall(r"<time[^>]*>[^<]*07:15[^<]*</time>", page)) == 5
