"""Versions: what was published, what differs between two of them, and an old one taken up again."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from flowforge.secrets import MASK
from tests.people import Person


def step(identifier: str, **config: Any) -> dict[str, Any]:
    return {"id": identifier, "type": "TRANSFORM", "config": {"output": config}}


@pytest.fixture
def workflow(client: FlaskClient, owner: Person) -> str:
    """Path of a workflow with two versions."""
    one = {"name": "Orders", "actions": [step("a", n=1), step("b", n=1)]}
    made = client.post("/api/v1/workflows", json=one, headers=owner.headers).json
    path = f"/api/v1/workflows/{made['id']}"
    two = {"name": "All orders", "actions": [step("b", n=1), step("a", n=2), step("c")], "note": "more of them"}
    assert client.put(path, json=two, headers=owner.headers).status_code == 200
    return path


def versions(client: FlaskClient, person: Person, workflow: str) -> list[dict[str, Any]]:
    listed = client.get(f"{workflow}/versions", headers=person.headers).json
    return list(listed["content"] if isinstance(listed, dict) else listed)


def test_the_difference_is_told_step_by_step(client: FlaskClient, owner: Person, workflow: str) -> None:
    found = client.get(f"{workflow}/diff?from=1&to=2", headers=owner.headers).json
    assert found["fields"] == [{"pointer": "/name", "from": "Orders", "to": "All orders"}]
    told = {change["id"]: change for change in found["steps"]}
    assert told["c"]["kind"] == "added"
    [field] = told["a"]["fields"]
    assert (field["pointer"], field["from"], field["to"]) == ("/actions/1/config/output/n", 1, 2)
    assert {told["a"]["kind"], told.get("b", {}).get("kind")} in ({"moved", None}, {"changed", "moved"})


def test_a_version_compared_with_itself_is_the_same(client: FlaskClient, owner: Person, workflow: str) -> None:
    for pair in ("from=2&to=published", "from=published&to=draft"):
        assert client.get(f"{workflow}/diff?{pair}", headers=owner.headers).json["same"] is True


def test_secrets_are_compared_and_never_shown(client: FlaskClient, owner: Person, workflow: str) -> None:
    def slack(url: str) -> dict[str, Any]:
        action = {"id": "s", "type": "SLACK_MESSAGE", "config": {"webhookUrl": url, "message": "hi"}}
        return {"name": "Slack", "actions": [action]}

    client.put(workflow, json=slack("https://hooks.example.test/one"), headers=owner.headers)
    client.put(workflow, json=slack("https://hooks.example.test/two"), headers=owner.headers)
    answer = client.get(f"{workflow}/diff?from=3&to=4", headers=owner.headers)
    assert "hooks.example" not in answer.text
    [change] = answer.json["steps"]
    assert change["fields"] == [{"pointer": "/actions/0/config/webhookUrl", "from": MASK, "to": MASK}]


def test_an_old_version_is_restored_as_a_new_one(client: FlaskClient, owner: Person, workflow: str) -> None:
    first = versions(client, owner, workflow)[-1]
    restored = client.post(f"{workflow}/versions/{first['id']}/restore", json={}, headers=owner.headers)
    assert restored.json["name"] == "Orders"
    newest = versions(client, owner, workflow)[0]
    assert (newest["number"], newest["note"]) == (3, "restored from version 1")
    assert versions(client, owner, workflow)[1]["note"] == "more of them"


def test_a_version_is_shown_by_its_id(client: FlaskClient, owner: Person, stranger: Person, workflow: str) -> None:
    first = versions(client, owner, workflow)[-1]
    shown = client.get(f"{workflow}/versions/{first['id']}", headers=owner.headers)
    assert (shown.json["number"], shown.json["name"]) == (1, "Orders")
    assert client.get(f"{workflow}/versions/{first['id']}", headers=stranger.headers).status_code == 404
    other = f"{workflow}/versions/{workflow.rpartition('/')[2]}"
    assert client.get(other, headers=owner.headers).status_code == 404


@pytest.mark.parametrize(("named", "status"), [("99", 404), ("latest", 400), ("", 400)])
def test_versions_that_do_not_exist(client: FlaskClient, owner: Person, workflow: str, named: str, status: int) -> None:
    assert client.get(f"{workflow}/diff?from={named}&to=1", headers=owner.headers).status_code == status
