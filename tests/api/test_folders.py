"""Folders of workflows in the API: listed, filled, renamed, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.things import WORKFLOWS, pointers, workflow
from tests.people import Person

FOLDERS = "/api/v1/folders"


def place(client: FlaskClient, person: Person, workflow_id: str, folder: object) -> Any:
    return client.put(f"{WORKFLOWS}/{workflow_id}/folder", json={"folder": folder}, headers=person.headers)


def listed(client: FlaskClient, person: Person) -> dict[str, int]:
    answer = client.get(FOLDERS, headers=person.headers)
    return {folder["path"]: folder["workflows"] for folder in answer.json}  # type: ignore[union-attr]


def renamed(client: FlaskClient, person: Person, path: str, folder: object) -> Any:
    return client.put(FOLDERS, query_string={"path": path}, json={"folder": folder}, headers=person.headers)


@pytest.fixture
def made(client: FlaskClient, owner: Person) -> dict[str, Any]:
    """A workflow in the folder sales/leads."""
    made = workflow(client, owner)
    assert place(client, owner, made["id"], " sales /leads").json == {"folder": "sales/leads"}
    return made


def test_a_folder_is_there_while_a_workflow_is_in_it(
    client: FlaskClient, owner: Person, stranger: Person, made: dict[str, Any]
) -> None:
    assert listed(client, owner) == {"sales": 1, "sales/leads": 1}
    assert listed(client, stranger) == {}
    assert place(client, owner, made["id"], None).json == {"folder": None}
    assert listed(client, owner) == {}


def test_renaming_moves_a_folder_with_those_within_it(
    client: FlaskClient, owner: Person, stranger: Person, made: dict[str, Any]
) -> None:
    assert renamed(client, stranger, "sales", "stolen").status_code == 404
    assert renamed(client, owner, "sales", "crm/sales").json == {"folder": "crm/sales", "workflows": 1}
    assert listed(client, owner) == {"crm": 1, "crm/sales": 1, "crm/sales/leads": 1}


def test_deleting_leaves_workflows_in_the_folder_around_it(
    client: FlaskClient, owner: Person, stranger: Person, made: dict[str, Any]
) -> None:
    asked = {"path": "sales/leads"}
    assert client.delete(FOLDERS, query_string=asked, headers=stranger.headers).status_code == 404
    assert client.delete(FOLDERS, query_string=asked, headers=owner.headers).status_code == 204
    assert listed(client, owner) == {"sales": 1}


@pytest.mark.parametrize("wrong", [7, ["a"], "x" * 61, "a\0b", "/".join("abcdefghi")])
def test_what_is_no_path_is_refused_by_its_field(
    client: FlaskClient, owner: Person, made: dict[str, Any], wrong: object
) -> None:
    for answer in (place(client, owner, made["id"], wrong), renamed(client, owner, "sales", wrong)):
        assert (answer.status_code, pointers(answer.json)) == (400, {"/folder"})


def test_nothing_is_moved_by_a_body_or_an_address_that_names_no_folder(
    client: FlaskClient, owner: Person, made: dict[str, Any]
) -> None:
    without = client.put(f"{WORKFLOWS}/{made['id']}/folder", json={}, headers=owner.headers)
    nameless = client.delete(FOLDERS, headers=owner.headers)
    assert (without.status_code, pointers(without.json)) == (400, {"/folder"})  # type: ignore[arg-type]
    assert (nameless.status_code, pointers(nameless.json)) == (400, {"/path"})  # type: ignore[arg-type]
    assert listed(client, owner) == {"sales": 1, "sales/leads": 1}
