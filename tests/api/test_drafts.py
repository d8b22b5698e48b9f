"""Drafts: saved in whatever state they are, by one writer at a time, and run by nothing until they are published."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from flowforge.db.sealed import reseal
from flowforge.secrets import MASK, Vault, new_key
from flowforge.wiring import Backends
from tests.people import Person

SLACK = {"type": "SLACK_MESSAGE", "config": {"webhookUrl": "https://hooks.example.test/s3cret", "message": "hi"}}
FIRST = {"name": "First", "trigger": {"type": "webhook"}, "actions": [SLACK]}


@pytest.fixture
def workflow(client: FlaskClient, owner: Person) -> str:
    """Path of a workflow."""
    made = client.post("/api/v1/workflows", json=FIRST, headers=owner.headers)
    assert made.status_code == 201, made.text
    return f"/api/v1/workflows/{made.json['id']}"


@pytest.fixture
def draft(client: FlaskClient, owner: Person, workflow: str) -> Any:
    """Saves a draft, and gives the answer."""

    def save(definition: Any, revision: int = 0) -> Any:
        body = {"definition": definition, "revision": revision}
        return client.put(f"{workflow}/draft", json=body, headers=owner.headers)

    return save


def test_without_a_draft_the_published_definition_is_there_to_go_on_with(
    client: FlaskClient, owner: Person, workflow: str
) -> None:
    shown = client.get(f"{workflow}/draft", headers=owner.headers).json
    assert (shown["revision"], shown["behind"], shown["problems"]) == (0, False, [])
    assert shown["definition"]["actions"][0]["config"] == {"webhookUrl": MASK, "message": "hi"}


def test_a_copy_is_a_draft_with_the_secrets_in_the_same_folder(
    client: FlaskClient, owner: Person, stranger: Person, workflow: str, draft: Any
) -> None:
    client.put(f"{workflow}/folder", json={"folder": "sales"}, headers=owner.headers)
    draft({**FIRST, "name": "Second"})
    copy = client.post(f"{workflow}/duplicate", json={"name": "Third"}, headers=owner.headers)
    assert (copy.status_code, copy.json["name"], copy.json["enabled"]) == (201, "Third", False)
    of_copy = f"/api/v1/workflows/{copy.json['id']}"
    assert client.post(f"{of_copy}/publish", headers=owner.headers).status_code == 200
    assert client.get("/api/v1/folders", headers=owner.headers).json == [{"path": "sales", "workflows": 2}]
    assert client.post(f"{workflow}/duplicate", json={}, headers=owner.headers).status_code == 400
    assert client.post(f"{workflow}/duplicate", json={"name": "Mine"}, headers=stranger.headers).status_code == 404


def test_what_is_half_written_is_saved_and_told_what_it_lacks(
    client: FlaskClient, owner: Person, workflow: str, draft: Any
) -> None:
    answer = draft({"name": "", "actions": [{"type": "HTTP_REQUEST"}, {"type": "NOPE"}]})
    assert answer.status_code == 200, answer.text
    assert answer.json["revision"] == 1
    lacks = {"/actions/0/config/url", "/actions/1/type"}
    assert {problem["pointer"] for problem in answer.json["problems"]} == {"/name", *lacks}
    named = draft({"name": "Half", "actions": [{"type": "HTTP_REQUEST"}, {"type": "NOPE"}]}, 1)
    assert {problem["pointer"] for problem in named.json["problems"]} == lacks
    published = client.get(workflow, headers=owner.headers).json
    assert published["name"] == "First"


def test_of_two_writers_the_second_is_told(draft: Any) -> None:
    assert draft({**FIRST, "name": "Mine"}).json["revision"] == 1
    late = draft({**FIRST, "name": "Theirs"})
    assert late.status_code == 409
    assert "revision 1" in late.json["message"]
    assert draft({**FIRST, "name": "Theirs"}, 1).json["revision"] == 2


def test_masks_in_a_draft_stand_for_the_stored_secrets(
    client: FlaskClient, owner: Person, workflow: str, draft: Any, backends: Backends
) -> None:
    masked = {**SLACK, "config": {"webhookUrl": MASK, "message": "changed"}}
    assert draft({**FIRST, "actions": [masked]}).json["definition"]["actions"][0]["config"]["webhookUrl"] == MASK
    assert (
        draft({**FIRST, "actions": [{"type": "TRANSFORM", "config": {"output": {}}}, masked]}, 1).json["problems"] == []
    )
    with backends.engine.connect() as connection:
        stored = connection.execute(text("SELECT definition::text FROM workflow.workflow_drafts")).scalar_one()
    assert "s3cret" not in stored
    client.post(f"{workflow}/publish", json={}, headers=owner.headers)
    with backends.engine.connect() as connection:
        actions = connection.execute(text("SELECT actions_definition FROM workflow.workflows")).scalar_one()
    assert backends.vault.open(actions[1]["config"]["webhookUrl"]) == "https://hooks.example.test/s3cret"


def test_publishing_makes_the_next_version_and_ends_the_draft(
    client: FlaskClient, owner: Person, workflow: str, draft: Any
) -> None:
    draft({**FIRST, "name": "Second"})
    published = client.post(f"{workflow}/publish", json={"revision": 1, "note": "better"}, headers=owner.headers)
    assert published.status_code == 200, published.text
    assert published.json["name"] == "Second"
    versions = client.get(f"{workflow}/versions", headers=owner.headers).json
    newest = (versions["content"] if isinstance(versions, dict) else versions)[0]
    assert (newest["number"], newest["note"]) == (2, "better")
    assert client.get(f"{workflow}/draft", headers=owner.headers).json["revision"] == 0
    assert client.post(f"{workflow}/publish", json={}, headers=owner.headers).status_code == 409


def test_a_draft_with_problems_is_not_published(client: FlaskClient, owner: Person, workflow: str, draft: Any) -> None:
    draft({**FIRST, "actions": [{"type": "HTTP_REQUEST"}]})
    refused = client.post(f"{workflow}/publish", json={}, headers=owner.headers)
    assert refused.status_code == 400
    assert [detail["pointer"] for detail in refused.json["details"]] == ["/actions/0/config/url"]
    assert client.get(f"{workflow}/draft", headers=owner.headers).json["revision"] == 1


def test_publishing_over_what_somebody_else_published_needs_to_be_said(
    client: FlaskClient, owner: Person, workflow: str, draft: Any
) -> None:
    draft({**FIRST, "name": "Mine"})
    client.put(workflow, json={"name": "Theirs"}, headers=owner.headers)
    assert client.get(f"{workflow}/draft", headers=owner.headers).json["behind"] is True
    assert client.post(f"{workflow}/publish", json={}, headers=owner.headers).status_code == 409
    assert client.post(f"{workflow}/publish", json={"overwrite": True}, headers=owner.headers).json["name"] == "Mine"


def test_a_discarded_draft_is_gone(client: FlaskClient, owner: Person, workflow: str, draft: Any) -> None:
    draft({**FIRST, "name": "Never"})
    assert client.delete(f"{workflow}/draft", headers=owner.headers).status_code == 204
    assert client.get(f"{workflow}/draft", headers=owner.headers).json["definition"]["name"] == "First"


def test_a_draft_goes_with_its_workflow(client: FlaskClient, owner: Person, workflow: str, draft: Any) -> None:
    draft({**FIRST, "name": "Gone"})
    assert client.delete(workflow, headers=owner.headers).status_code == 204
    assert draft({**FIRST}, 1).status_code == 404


def test_drafts_get_a_new_key_with_the_other_secrets(backends: Backends, draft: Any) -> None:
    draft(FIRST)
    new = new_key()
    reseal(backends.engine, Vault([new, *backends.keys.vault]))
    with backends.engine.connect() as connection:
        stored = connection.execute(text("SELECT definition FROM workflow.workflow_drafts")).scalar_one()
    assert "s3cret" in Vault([new]).open(stored)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/definition"),
        ({"definition": []}, "/definition"),
        ({"definition": {}, "revision": -1}, "/revision"),
        ({"definition": {}, "revision": "one"}, "/revision"),
        ({"definition": {}, "revision": True}, "/revision"),
    ],
    ids=["nothing", "list", "negative", "text", "boolean"],
)
def test_bad_input_is_refused_by_field(
    client: FlaskClient, owner: Person, workflow: str, body: dict[str, Any], pointer: str
) -> None:
    answer = client.put(f"{workflow}/draft", json=body, headers=owner.headers)
    assert answer.status_code == 400
    assert [detail["pointer"] for detail in answer.json["details"]] == [pointer]


def test_other_peoples_drafts_are_not_there(client: FlaskClient, stranger: Person, workflow: str, draft: Any) -> None:
    draft(FIRST)
    for method, path, body in (
        ("GET", "/draft", None),
        ("PUT", "/draft", {"definition": FIRST}),
        ("DELETE", "/draft", None),
        ("POST", "/publish", {}),
        ("GET", "/diff?from=published&to=draft", None),
    ):
        assert client.open(workflow + path, method=method, json=body, headers=stranger.headers).status_code == 404
