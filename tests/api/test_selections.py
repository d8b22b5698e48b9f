"""What the API does to many workflows or executions at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from flowforge.workflows.tags import MOST_TAGS
from tests.api.things import EXECUTIONS, WORKFLOWS, execution, pointers, workflow
from tests.people import Person


@pytest.fixture
def two(client: FlaskClient, owner: Person) -> list[str]:
    return [workflow(client, owner)["id"] for _ in range(2)]


def do(client: FlaskClient, person: Person, what: str, ids: list[str], **more: object) -> Any:
    return client.post(f"{WORKFLOWS}/{what}", json={"workflowIds": ids, **more}, headers=person.headers)


def found(client: FlaskClient, person: Person, **asked: str) -> set[str]:
    answer = client.get(f"{WORKFLOWS}/search", query_string=asked, headers=person.headers)
    return {row["id"] for row in answer.json["content"]}  # type: ignore[index]


def test_workflows_are_moved_together(client: FlaskClient, owner: Person, two: list[str]) -> None:
    assert do(client, owner, "move", two[:1], folder="sales").json == {"workflowIds": two[:1]}
    assert do(client, owner, "move", two, folder="sales").json == {"workflowIds": two[1:]}
    assert found(client, owner, folder="sales") == {*two}
    assert {*do(client, owner, "move", two, folder=None).json["workflowIds"]} == {*two}
    assert found(client, owner, folder="sales") == set()


def test_workflows_are_tagged_together(client: FlaskClient, owner: Person, two: list[str]) -> None:
    assert do(client, owner, "tag", two[:1], tag="Night").json == {"workflowIds": two[:1]}
    assert do(client, owner, "tag", two, tag=" night ").json == {"workflowIds": two[1:]}
    assert found(client, owner, tag="night") == {*two}
    assert do(client, owner, "untag", two[:1], tag="night").json == {"workflowIds": two[:1]}
    assert do(client, owner, "untag", two[:1], tag="night").json == {"workflowIds": []}
    assert found(client, owner, tag="night") == {two[1]}


def test_none_is_tagged_where_one_has_as_many_tags_as_it_may(
    client: FlaskClient, owner: Person, two: list[str]
) -> None:
    full = {"tags": [f"tag {number}" for number in range(MOST_TAGS)]}
    client.put(f"{WORKFLOWS}/{two[0]}/tags", json=full, headers=owner.headers)
    answer = do(client, owner, "tag", two, tag="night")
    assert (answer.status_code, pointers(answer.json)) == (400, {"/tag"})
    assert found(client, owner, tag="night") == set()


@pytest.mark.parametrize(("what", "more"), [("move", {"folder": "x"}), ("tag", {"tag": "x"}), ("untag", {"tag": "x"})])
def test_all_are_changed_or_none(
    client: FlaskClient, owner: Person, stranger: Person, two: list[str], what: str, more: dict[str, Any]
) -> None:
    do(client, owner, "tag", two, tag="y")
    theirs = workflow(client, stranger)["id"]
    wrong = do(client, owner, what, [two[0], theirs, str(uuid4())], **more)
    assert (wrong.status_code, pointers(wrong.json)) == (400, {"/workflowIds/1", "/workflowIds/2"})
    for ids in ([], [str(uuid4())] * 201, "x"):
        refused = do(client, owner, what, ids, **more)  # type: ignore[arg-type]
        assert (refused.status_code, pointers(refused.json)) == (400, {"/workflowIds"})
    assert found(client, owner, folder="x") == found(client, owner, tag="x") == set()
    assert found(client, owner, tag="y") == {*two}


@pytest.mark.parametrize(
    ("what", "more", "field"),
    [
        ("move", {}, "/folder"),
        ("move", {"folder": "/".join("abcdefghi")}, "/folder"),
        ("tag", {"tag": " "}, "/tag"),
        ("tag", {"tag": "x" * 41}, "/tag"),
        ("untag", {"tag": "a\0b"}, "/tag"),
        ("untag", {}, "/tag"),
    ],
)
def test_what_they_should_be_given_is_refused_by_its_field(
    client: FlaskClient, owner: Person, two: list[str], what: str, more: dict[str, object], field: str
) -> None:
    answer = do(client, owner, what, two, **more)
    assert (answer.status_code, pointers(answer.json)) == (400, {field})


def test_executions_that_are_over_are_deleted(
    client: FlaskClient, engine: Engine, owner: Person, stranger: Person
) -> None:
    def delete(person: Person, ids: list[UUID]) -> Any:
        body = {"executionIds": [str(id_) for id_ in ids]}
        return client.post(f"{EXECUTIONS}/delete", json=body, headers=person.headers)

    over = execution(engine, owner, finished_at="2026-01-01T00:00:00Z")
    running = execution(engine, owner, status="RUNNING")
    assert delete(stranger, [over, running]).json == {"deleted": 0}
    assert delete(owner, [over, running]).json == {"deleted": 1}
    assert client.get(f"{EXECUTIONS}/{over}", headers=owner.headers).status_code == 404
    assert client.get(f"{EXECUTIONS}/{running}", headers=owner.headers).status_code == 200
    for wrong in ([], [uuid4()] * 101):
        refused = delete(owner, wrong)
        assert (refused.status_code, pointers(refused.json)) == (400, {"/executionIds"})
