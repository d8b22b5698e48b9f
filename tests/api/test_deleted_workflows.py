"""Deleted workflows in the API: listed, restored, deleted permanently."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.things import WORKFLOWS, slack, triggers_of, workflow
from tests.people import Person

DELETED = "/api/v1/deleted-workflows"


@pytest.fixture
def gone(client: FlaskClient, owner: Person) -> dict[str, Any]:
    made = workflow(client, owner, trigger={"type": "webhook"}, actions=[slack()])
    made["triggers"] = triggers_of(client, owner, made["id"])
    client.delete(f"{WORKFLOWS}/{made['id']}", headers=owner.headers)
    return made


def listed(client: FlaskClient, person: Person) -> list[dict[str, Any]]:
    return list(client.get(DELETED, headers=person.headers).json)  # type: ignore[arg-type]


def test_a_deleted_workflow_is_listed_for_its_owner_while_it_is_kept(
    client: FlaskClient, owner: Person, stranger: Person, gone: dict[str, Any]
) -> None:
    [one] = listed(client, owner)
    assert (one["id"], one["name"]) == (gone["id"], "Orders")
    kept = datetime.fromisoformat(one["keptUntil"]) - datetime.fromisoformat(one["deletedAt"])
    assert kept == timedelta(days=7)
    assert listed(client, stranger) == []


def test_it_is_restored_as_it_was(client: FlaskClient, owner: Person, gone: dict[str, Any]) -> None:
    restored = client.post(f"{DELETED}/{gone['id']}/restore", headers=owner.headers)
    assert restored.status_code == 200
    assert restored.json["actions"] == gone["actions"]
    assert triggers_of(client, owner, gone["id"]) == gone["triggers"]
    assert client.get(f"{WORKFLOWS}/{gone['id']}", headers=owner.headers).json == restored.json
    assert listed(client, owner) == []
    assert client.post(f"{DELETED}/{gone['id']}/restore", headers=owner.headers).status_code == 404


def test_deleted_permanently_it_is_gone(client: FlaskClient, owner: Person, gone: dict[str, Any]) -> None:
    assert client.delete(f"{DELETED}/{gone['id']}", headers=owner.headers).status_code == 204
    assert listed(client, owner) == []
    assert client.post(f"{DELETED}/{gone['id']}/restore", headers=owner.headers).status_code == 404
    assert client.delete(f"{DELETED}/{gone['id']}", headers=owner.headers).status_code == 404
