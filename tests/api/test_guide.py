"""The guided first workflow: what counts is what was done, wherever it was done."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine

from flowforge.onboarding.guide import EXAMPLE
from tests.api.things import WORKFLOWS, execution
from tests.people import Person

GUIDE = "/api/v1/guide"
ACT = {"id": "note", "type": "TRANSFORM", "config": {"output": {"text": "{{ trigger.body.total }}"}}}
DECIDE = {
    "id": "large",
    "type": "BRANCH",
    "branches": [{"name": "yes", "when": "{{ trigger.body.total > 100 }}", "actions": []}],
}


def begun(client: FlaskClient, person: Person) -> str:
    answer = client.post(GUIDE, headers=person.headers)
    assert answer.status_code == 200
    return str(answer.json["workflowId"])


def how_far(client: FlaskClient, person: Person) -> tuple[list[str], str | None]:
    answer = client.get(GUIDE, headers=person.headers).json
    return [step["name"] for step in answer["steps"] if step["done"]], answer["next"]


def save(client: FlaskClient, person: Person, workflow_id: str, *actions: dict[str, Any]) -> None:
    draft = f"{WORKFLOWS}/{workflow_id}/draft"
    shown = client.get(draft, headers=person.headers).json
    definition = {**shown["definition"], "actions": list(actions)}
    body = {"definition": definition, "revision": shown["revision"]}
    assert client.put(draft, json=body, headers=person.headers).status_code == 200


def test_it_is_followed_from_nothing_to_the_first_real_call(client: FlaskClient, owner: Person, engine: Engine) -> None:
    workflow_id = begun(client, owner)
    at = f"{WORKFLOWS}/{workflow_id}"
    assert how_far(client, owner) == ([], "sample")
    client.put(f"{at}/pins/trigger", json=EXAMPLE, headers=owner.headers)
    assert how_far(client, owner) == (["sample"], "decide")
    save(client, owner, workflow_id, DECIDE)
    assert how_far(client, owner) == (["sample", "decide"], "act")
    save(client, owner, workflow_id, {**DECIDE, "branches": [{**DECIDE["branches"][0], "actions": [ACT]}]})
    assert how_far(client, owner) == (["sample", "decide", "act"], "test")
    execution(
        engine, owner, workflow_id=workflow_id, status="COMPLETED", trigger_type="manual", step_outputs={"step_0": {}}
    )
    assert how_far(client, owner)[1] == "publish"
    assert client.post(f"{at}/publish", json={}, headers=owner.headers).status_code == 200
    assert how_far(client, owner)[1] == "call"
    execution(
        engine, owner, workflow_id=workflow_id, status="COMPLETED", trigger_type="webhook", step_outputs={"step_0": {}}
    )
    assert how_far(client, owner)[1] is None


def test_a_step_that_is_wrong_does_not_count(client: FlaskClient, owner: Person) -> None:
    workflow_id = begun(client, owner)
    wrong = {"id": "tell", "type": "SLACK_MESSAGE", "config": {"message": "{{ steps.nobody.x }}"}}
    save(client, owner, workflow_id, {**DECIDE, "branches": [{**DECIDE["branches"][0], "actions": [wrong]}]})
    assert how_far(client, owner)[0] == ["decide"]


def test_beginning_again_goes_on_with_the_same_workflow(client: FlaskClient, owner: Person) -> None:
    assert begun(client, owner) == begun(client, owner)


def test_it_is_everybodys_own(client: FlaskClient, owner: Person, stranger: Person) -> None:
    begun(client, owner)
    assert client.get(GUIDE, headers=stranger.headers).status_code == 404


def test_it_ends_when_asked_to_and_the_workflow_stays(client: FlaskClient, owner: Person) -> None:
    workflow_id = begun(client, owner)
    assert client.delete(GUIDE, headers=owner.headers).status_code == 204
    assert client.get(GUIDE, headers=owner.headers).status_code == 404
    assert client.get(f"{WORKFLOWS}/{workflow_id}", headers=owner.headers).status_code == 200
    assert client.delete(GUIDE, headers=owner.headers).status_code == 204


def test_it_goes_with_its_workflow(client: FlaskClient, owner: Person) -> None:
    workflow_id = begun(client, owner)
    client.delete(f"{WORKFLOWS}/{workflow_id}", headers=owner.headers)
    assert client.get(GUIDE, headers=owner.headers).status_code == 404
    assert begun(client, owner) != workflow_id
