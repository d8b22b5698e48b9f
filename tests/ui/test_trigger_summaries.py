"""Triggers in one line, in the reader's language."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from flowforge.triggers.kinds import find_kind
from webapp.ui.trigger_summaries import in_words


def said(type_: str, config: dict[str, Any]) -> str:
    kind = find_kind(type_)
    assert kind
    return in_words(kind.summary(config))


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"intervalMinutes": 1}, "Every minute"),
        ({"intervalMinutes": "5"}, "Every 5 minutes"),
        ({"intervalMinutes": 2.5}, "Every 150 seconds"),
        ({}, "Every hour"),
        ({"intervalSeconds": 10}, "Every 10 seconds"),
        ({"intervalSeconds": 3600}, "Every hour"),
        ({"intervalMinutes": 120}, "Every 2 hours"),
        ({"intervalMinutes": 1440}, "Every day"),
        ({"cron": "30 2 * * 1-5", "timeZone": "Europe/Berlin"}, "At 02:30, Monday through Friday (Europe/Berlin)"),
        ({"cron": "*/15 * * * *"}, "Every 15 minutes (UTC)"),
        ({"cron": "0 9 1 * *"}, "At 09:00, on day 1 of the month (UTC)"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_schedule_is_said_in_plain_words(configuration: dict[str, Any], words: str) -> None:
    assert said("scheduler", configuration) == words


@pytest.mark.parametrize(
    ("type_", "configuration", "words"),
    [
        ("scheduler", {"intervalMinutes": 5}, "Alle 5 Minuten"),
        ("scheduler", {"cron": "30 2 * * 1-5"}, "Um 02:30, Montag bis Freitag (UTC)"),
        ("webhook", {"auth": "bearer"}, "Wenn eine Webhook-URL aufgerufen wird"),
        ("form", {"title": "Umfrage", "fields": [{"label": "Name"}]}, "Umfrage · 1 Feld"),
        ("http_request", {"url": "https://x.test/"}, "https://x.test/ · Alle 5 Minuten"),
        ("email", {}, "Wenn eine E-Mail in einem Postfach eintrifft"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_it_is_said_in_the_readers_language(app: Flask, type_: str, configuration: dict[str, Any], words: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert said(type_, configuration) == words


def test_what_is_no_schedule_says_why() -> None:
    assert said("scheduler", {"cron": "x"}).startswith("Not readable: /cron")
