"""The error workflow of an account."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.people import Person

PATH = "/api/v1/error-workflow"


def new_workflow(client: FlaskClient, person: Person) -> str:
    made = client.post("/api/v1/workflows", json={"name": "Alerts", "actions": []}, headers=person.headers)
    return str(made.json["id"])  # type: ignore[index]


def test_it_is_none_until_it_is_chosen(client: FlaskClient, owner: Person) -> None:
    assert client.get(PATH, headers=owner.headers).json == {"workflowId": None}
    chosen = {"workflowId": new_workflow(client, owner)}
    assert client.put(PATH, json=chosen, headers=owner.headers).json == chosen
    assert client.get(PATH, headers=owner.headers).json == chosen
    client.delete(f"/api/v1/workflows/{chosen['workflowId']}", headers=owner.headers)
    assert client.get(PATH, headers=owner.headers).json == {"workflowId": None}


@pytest.mark.parametrize("wrong", ["x", 7, ["a"], "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_workflow_of_the_account_is_refused_by_its_name(
    client: FlaskClient, owner: Person, wrong: object
) -> None:
    answer = client.put(PATH, json={"workflowId": wrong}, headers=owner.headers)
    assert answer.status_code == 400
    assert "/workflowId" in answer.text
