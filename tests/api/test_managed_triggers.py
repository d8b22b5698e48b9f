"""A workflow's own `trigger` registers itself, and a client that posts one takes it over: there is exactly one."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.things import TRIGGERS, WORKFLOWS, trigger, triggers_of, workflow
from tests.people import Person


def save(client: FlaskClient, person: Person, workflow_id: str, **parts: Any) -> None:
    assert client.put(f"{WORKFLOWS}/{workflow_id}", json=parts, headers=person.headers).status_code == 200


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("webhook", None),
        ("scheduler", {"cron": "0 8 * * *"}),
        ("email", {"username": "me@example.test", "password": "mail-pass"}),
    ],
)
def test_saving_a_workflow_registers_its_trigger(client: FlaskClient, owner: Person, kind: str, config: Any) -> None:
    made = workflow(client, owner, trigger={"type": kind, "config": config})

    (registered,) = triggers_of(client, owner, made["id"])

    assert (registered["triggerType"], registered["managed"], registered["enabled"]) == (kind, True, True)
    assert registered["configuration"] == (made["trigger"]["config"] or {})


@pytest.mark.parametrize("own", [None, {"type": "manual"}])
def test_one_that_is_started_by_hand_registers_nothing(client: FlaskClient, owner: Person, own: Any) -> None:
    assert triggers_of(client, owner, workflow(client, owner, trigger=own)["id"]) == []


def test_saving_again_keeps_the_address(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})
    (before,) = triggers_of(client, owner, made["id"])

    save(client, owner, made["id"], name="Bills", trigger={"type": "webhook", "config": {"method": "POST"}})

    (after,) = triggers_of(client, owner, made["id"])
    assert (after["id"], after["webhookToken"]) == (before["id"], before["webhookToken"])
    assert after["configuration"] == {"method": "POST"}


def test_it_follows_the_workflow_on_and_off(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})

    save(client, owner, made["id"], enabled=False)
    (switched_off,) = triggers_of(client, owner, made["id"])
    save(client, owner, made["id"], enabled=True)
    (switched_on,) = triggers_of(client, owner, made["id"])

    assert (switched_off["enabled"], switched_on["enabled"]) == (False, True)


@pytest.mark.parametrize("other", [None, {"type": "manual"}, {"type": "scheduler"}])
def test_another_trigger_takes_its_place(client: FlaskClient, owner: Person, other: Any) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})

    save(client, owner, made["id"], trigger=other)

    kinds = [one["triggerType"] for one in triggers_of(client, owner, made["id"])]
    assert kinds == (["scheduler"] if other and other["type"] == "scheduler" else [])


def test_a_client_that_posts_one_takes_it_over(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, trigger={"type": "scheduler", "config": {"intervalMinutes": 5}})
    (own,) = triggers_of(client, owner, made["id"])

    posted = trigger(client, owner, made["id"], "SCHEDULER", configuration={"intervalMinutes": 30})

    assert triggers_of(client, owner, made["id"]) == [posted]
    assert (posted["id"], posted["managed"]) == (own["id"], False)
    assert posted["configuration"] == {"intervalMinutes": 30}


def test_what_a_client_took_over_stays_the_clients(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})
    posted = trigger(client, owner, made["id"], configuration={"mine": 1})

    save(client, owner, made["id"], name="Bills", trigger={"type": "webhook", "config": {"other": 2}})

    (after,) = triggers_of(client, owner, made["id"])
    assert (after["id"], after["configuration"]) == (posted["id"], {"mine": 1})


def test_what_a_client_changed_stays_as_it_is(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})
    (own,) = triggers_of(client, owner, made["id"])
    client.put(f"{TRIGGERS}/{own['id']}", json={"enabled": False}, headers=owner.headers)

    save(client, owner, made["id"], name="Bills")

    (after,) = triggers_of(client, owner, made["id"])
    assert (after["id"], after["enabled"]) == (own["id"], False)


def test_a_second_post_is_a_second_trigger(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})

    first, second = trigger(client, owner, made["id"]), trigger(client, owner, made["id"])

    assert triggers_of(client, owner, made["id"]) == [first, second]


def test_one_of_another_type_stands_beside_it(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})

    trigger(client, owner, made["id"], "scheduler")

    kinds = [one["triggerType"] for one in triggers_of(client, owner, made["id"])]
    assert sorted(kinds) == ["scheduler", "webhook"]


def test_where_a_client_has_one_the_workflow_makes_none(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner)
    posted = trigger(client, owner, made["id"])

    save(client, owner, made["id"], trigger={"type": "webhook"})

    assert triggers_of(client, owner, made["id"]) == [posted]
