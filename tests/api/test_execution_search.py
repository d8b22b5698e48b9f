"""Executions looked through in the API, as their list shows them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.api.things import EXECUTIONS, WORKFLOWS, execution, workflow
from tests.people import Person


def found(client: FlaskClient, person: Person, **asked: object) -> Any:
    return client.get(f"{EXECUTIONS}/search", query_string=asked, headers=person.headers).json


def test_each_tells_what_it_came_from(client: FlaskClient, engine: Engine, owner: Person, stranger: Person) -> None:
    made = workflow(client, owner, name="Orders")["id"]
    client.put(f"{WORKFLOWS}/{made}/list-field", json={"listField": "body.id"}, headers=owner.headers)
    first = execution(engine, owner, workflow_id=UUID(made), trigger_payload={"body": {"id": "A-1"}})
    again = execution(engine, owner, workflow_id=UUID(made), replay_of=first)
    called = execution(engine, owner, parent_execution_id=first)
    none = {"shown": None, "isTest": False, "replayOf": None, "calledBy": None, "callerName": None}
    assert found(client, owner)["origins"] == {
        str(first): none | {"workflowName": "Orders", "shown": "A-1"},
        str(again): none | {"workflowName": "Orders", "replayOf": str(first)},
        str(called): none | {"workflowName": None, "calledBy": str(first), "callerName": "Orders"},
    }
    assert found(client, stranger)["origins"] == {}


def test_the_oldest_come_first_where_that_is_asked_for(client: FlaskClient, engine: Engine, owner: Person) -> None:
    ids = [str(execution(engine, owner)) for _ in range(3)]
    page = found(client, owner, oldestFirst="true", size=2)
    rest = found(client, owner, oldestFirst="true", size=2, cursor=page["newer"])
    assert [row["id"] for row in page["content"] + rest["content"]] == ids


def test_the_oldest_come_first_in_a_search_for_text_too(client: FlaskClient, engine: Engine, owner: Person) -> None:
    ids = [str(execution(engine, owner, trigger_payload={"order": number})) for number in range(3)]
    page = found(client, owner, oldestFirst="true", text="order", size=2)
    rest = found(client, owner, oldestFirst="true", text="order", size=2, cursor=page["newer"])
    assert [row["id"] for row in page["content"] + rest["content"]] == ids
