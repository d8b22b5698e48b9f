"""Addresses of triggers are renewed, and the former ones go on for a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.wiring import Backends
from tests.api.things import TRIGGERS, accepted_events, stored_trigger, trigger, workflow
from tests.people import Person
from tests.statements import counting_statements
from webapp import create_app


def renew(client: FlaskClient, owner: Person, hook: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = client.post(f"{TRIGGERS}/{hook['id']}/token", json=body, headers=owner.headers)
    assert answer.status_code == 200
    renewed: dict[str, Any] = answer.json
    return renewed


def end_former_tokens(engine: Engine) -> None:
    """Lets the time of overlap pass."""
    with engine.begin() as connection:
        past = {"at": datetime.now(UTC) - timedelta(seconds=1)}
        connection.execute(text("UPDATE trigger_service.former_webhook_tokens SET ends_at = :at"), past)


def test_both_are_the_same_webhook_until_the_former_one_ends(
    client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, engine: Engine, backends: Backends
) -> None:
    other = create_app(backends=backends).test_client()
    assert other.post(address, json={}).status_code == 200

    renewed = renew(client, owner, hook, overlapMinutes=30)
    assert renewed["webhookUrl"].endswith(f"/webhook/{renewed['webhookToken']}")
    assert renewed["webhookToken"] != hook["webhookToken"]
    for called in (address, f"{address}/", f"/webhook/{renewed['webhookToken']}"):
        assert other.post(called, json={}).json["triggerId"] == hook["id"]
    assert len(accepted_events(engine)) == 4

    end_former_tokens(engine)
    assert client.post(address, json={}).status_code == 404
    assert client.post(f"/webhook/{renewed['webhookToken']}", json={}).status_code == 200


def test_a_former_one_that_is_remembered_ends_in_time(
    client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew(client, owner, hook, overlapMinutes=1)
    assert client.post(address, json={}).status_code == 200

    monkeypatch.setattr("webapp.intake.known_tokens.intake.find_token", lambda *_: None)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert client.post(address, json={}).status_code == 404


def test_a_former_one_costs_no_question_either(
    client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, backends: Backends
) -> None:
    renew(client, owner, hook)
    client.post(address, json={})
    with counting_statements(backends.engine) as statements:
        assert client.post(address, json={}).status_code == 200
    assert len(statements) == 1


def test_without_overlap_the_former_one_is_gone_at_once(
    client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, backends: Backends
) -> None:
    other = create_app(backends=backends).test_client()
    assert other.post(address, json={}).status_code == 200
    renew(client, owner, hook, overlapMinutes=0)
    assert other.post(address, json={}).status_code == 404


def test_several_may_go_on_together(
    client: FlaskClient, owner: Person, hook: dict[str, Any], address: str, engine: Engine
) -> None:
    second = renew(client, owner, hook, overlapMinutes=30)
    third = renew(client, owner, second, overlapMinutes=30)
    for token in (hook["webhookToken"], second["webhookToken"], third["webhookToken"]):
        assert client.post(f"/webhook/{token}", json={}).status_code == 200
    client.delete(f"{TRIGGERS}/{hook['id']}", headers=owner.headers)
    assert client.post(address, json={}).status_code == 404


def test_a_secret_that_the_provider_handed_out_ends_with_the_former_one(
    client: FlaskClient, owner: Person, engine: Engine
) -> None:
    hook = trigger(client, owner, workflow(client, owner)["id"], configuration={"auth": "asana"})
    client.post(f"/webhook/{hook['webhookToken']}", headers={"X-Hook-Secret": "of Asana's own"})
    renewed = renew(client, owner, hook)
    assert stored_trigger(engine, hook["id"]).configuration == {"auth": "asana"}
    shaken = client.post(f"/webhook/{renewed['webhookToken']}", headers={"X-Hook-Secret": "another one"})
    assert shaken.status_code == 200


@pytest.mark.parametrize("minutes", [-1, 43_201, 1.5, "60", True])
def test_a_time_that_is_none_is_refused(client: FlaskClient, owner: Person, hook: dict[str, Any], minutes: Any) -> None:
    answer = client.post(f"{TRIGGERS}/{hook['id']}/token", json={"overlapMinutes": minutes}, headers=owner.headers)
    assert answer.status_code == 400
    assert [problem["pointer"] for problem in answer.json["details"]] == ["/overlapMinutes"]


def test_a_trigger_without_an_address_has_none_to_renew(client: FlaskClient, owner: Person) -> None:
    made = trigger(client, owner, workflow(client, owner)["id"], triggerType="scheduler", configuration={})
    answer = client.post(f"{TRIGGERS}/{made['id']}/token", json={}, headers=owner.headers)
    assert (answer.status_code, "no address" in answer.json["message"]) == (400, True)


def test_strangers_renew_nothing(client: FlaskClient, stranger: Person, hook: dict[str, Any], address: str) -> None:
    answer = client.post(f"{TRIGGERS}/{hook['id']}/token", json={}, headers=stranger.headers)
    assert answer.status_code == 404
    assert client.post(address, json={}).status_code == 200
