"""The field of the payload that lists of executions show, in the API."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.api.things import WORKFLOWS, pointers, workflow
from tests.people import Person


@pytest.fixture
def place(client: FlaskClient, owner: Person) -> str:
    return f"{WORKFLOWS}/{workflow(client, owner)['id']}/list-field"


def test_it_is_none_until_it_is_chosen(client: FlaskClient, owner: Person, place: str) -> None:
    assert client.get(place, headers=owner.headers).json == {"listField": None}
    chosen = client.put(place, json={"listField": "{{ trigger.body.order.id }}"}, headers=owner.headers)
    assert chosen.json == {"listField": "body.order.id"}
    assert client.get(place, headers=owner.headers).json == chosen.json
    assert client.put(place, json={"listField": None}, headers=owner.headers).json == {"listField": None}
    assert client.get(place, headers=owner.headers).json == {"listField": None}


@pytest.mark.parametrize("body", [{}, {"listField": 7}, {"listField": "a..b"}, {"listField": "x" * 201}])
def test_what_is_no_field_is_refused_by_its_name(
    client: FlaskClient, owner: Person, place: str, body: dict[str, object]
) -> None:
    answer = client.put(place, json=body, headers=owner.headers)
    assert (answer.status_code, pointers(answer.json)) == (400, {"/listField"})  # type: ignore[arg-type]
