"""A Valkey that takes everything and answers nothing stops nothing that PostgreSQL can hold."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from flowforge.events import TRIGGER_EVENTS
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.api.things import accepted_events
from tests.people import PASSWORD, Person
from tests.services.embedded import frozen
from tests.ui.conftest import Browser
from tests.waiting import eventually
from webapp import web_backends


@pytest.fixture
def backends(settings: Settings) -> Iterator[Backends]:
    """As the web server has them."""
    backends = web_backends(settings)
    yield backends
    backends.close()


def test_webhooks_are_answered_and_one_of_them_asks_for_all(
    client: FlaskClient, address: str, redis_url: str, backends: Backends, caplog: pytest.LogCaptureFixture
) -> None:
    with frozen(redis_url), caplog.at_level(logging.INFO):
        answers = [client.post(address, json={"n": n}).status_code for n in range(20)]
    assert answers == [200] * 20
    assert len(accepted_events(backends.engine)) == 20
    with Redis.from_url(redis_url) as redis:
        assert redis.xlen(f"flowforge:{TRIGGER_EVENTS}") < 5  # the others have not waited for it
    assert len(caplog.messages) < 10


def test_it_is_told_of_events_again_as_soon_as_it_answers(client: FlaskClient, address: str, redis_url: str) -> None:
    with frozen(redis_url):
        client.post(address)
    with Redis.from_url(redis_url) as redis:
        known = redis.xlen(f"flowforge:{TRIGGER_EVENTS}")

        def told() -> bool:
            client.post(address)
            return redis.xlen(f"flowforge:{TRIGGER_EVENTS}") > known

        assert eventually(told)


def test_people_sign_in_and_work_on(
    client: FlaskClient, owner: Person, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with frozen(redis_url), caplog.at_level(logging.WARNING):
        answer: Any = client.post("/auth/login", json={"username": owner.username, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        made = client.post("/api/v1/workflows", json={"name": "w", "actions": []}, headers=headers)
        shown = client.get(f"/api/v1/workflows/{made.json['id']}", headers=headers)  # type: ignore[index]
    assert (made.status_code, shown.status_code) == (201, 200)
    assert "counted in memory" in caplog.text


def test_pages_are_shown(app: Flask, owner: Person, redis_url: str) -> None:
    browser = Browser(app.test_client())
    with frozen(redis_url):
        signed_in = browser.send("/sign-in", "/sign-in", username=owner.username, password=PASSWORD)
        pages = [browser.get(path).status_code for path in ("/", "/workflows", "/executions", "/settings")]
    assert signed_in.status_code == 303
    assert pages == [200] * 4


def test_the_dashboard_says_what_is_wrong(client: FlaskClient, owner: Person, redis_url: str) -> None:
    with frozen(redis_url):
        health: Any = client.get("/api/v1/home", headers=owner.headers).json["health"]  # type: ignore[index]
    assert health == {
        "workers": None,
        "lag": None,
        "missing": [],
        "busProblem": "the event bus (Valkey) does not answer",
    }
