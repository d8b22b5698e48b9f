"""APIs that are added by their descriptions: kept in versions, with chosen operations as actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer

from tests.descriptions import as_file, petstore, without_operation
from tests.people import Person

Ask = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, owner: Person) -> Ask:
    def send(method: str, path: str = "", body: Any = None) -> Any:
        return client.open(f"/api/v1/apis{path}", method=method, json=body, headers=owner.headers)

    return send


def added(ask: Ask, description: dict[str, Any] | None = None, **more: Any) -> Any:
    answer = ask("POST", "", {"file": as_file(description or petstore()), **more})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_file_is_read_into_operations(ask: Ask) -> None:
    api = added(ask, fileName="pets.json")
    assert (api["name"], api["title"], api["number"], api["source"]) == ("petstore", "Petstore", "1.0.0", "pets.json")
    assert [(each["id"], each["method"], each["tag"]) for each in api["operations"]] == [
        ("listPets", "GET", "pets"),
        ("addPet", "POST", "pets"),
        ("getPhoto", "GET", "photos"),
        ("putPhoto", "PUT", "photos"),
    ]
    assert api["version"].startswith("sha256:")
    assert ask("GET", f"/{api['id']}").json == api
    (listed,) = ask("GET").json
    assert (listed["name"], listed["operationCount"], listed["actionCount"]) == ("petstore", 4, 4)


def test_an_address_is_fetched(ask: Ask, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/openapi.json").respond_with_json(petstore())
    api = ask("POST", "", {"address": httpserver.url_for("/openapi.json?token=hush-hush-hush")}).json
    assert (api["title"], len(api["operations"])) == ("Petstore", 4)
    assert api["source"] == httpserver.url_for("/openapi.json?token=********")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/address"),
        ({"file": "{}", "address": "https://example.test"}, "/address"),
        ({"file": "{}"}, "/file"),
        ({"file": "openapi: ["}, "/file"),
        ({"file": 7}, "/file"),
        ({"file": as_file(petstore(paths={}))}, "/file"),
        ({"address": "http://10.0.0.1/openapi.json"}, "/address"),
        ({"address": "file:///etc/passwd"}, "/address"),
        ({"file": as_file(petstore()), "name": "No Spaces"}, "/name"),
    ],
    ids=["nothing", "both", "no API", "no YAML", "number", "no operations", "private", "no web address", "name"],
)
def test_what_cannot_be_used_is_refused_by_field(ask: Ask, body: dict[str, Any], pointer: str) -> None:
    refused = ask("POST", "", body)
    assert refused.status_code == 400
    assert pointer in [detail["pointer"] for detail in refused.json["details"]]


def test_names_are_made_and_are_unique(ask: Ask) -> None:
    assert [added(ask)["name"] for _ in range(2)] == ["petstore", "petstore-2"]
    taken = ask("POST", "", {"file": as_file(petstore()), "name": "petstore"})
    assert taken.status_code == 409


def test_the_operations_of_the_palette_are_chosen(ask: Ask) -> None:
    path = f"/{added(ask)['id']}"
    chosen = ask("PUT", f"{path}/actions", {"actions": ["getPhoto", "addPet"]})
    assert chosen.json["actions"] == ["addPet", "getPhoto"]
    unknown = ask("PUT", f"{path}/actions", {"actions": ["addPony"]})
    assert (unknown.status_code, unknown.json["details"][0]["pointer"]) == (400, "/actions")


def test_a_new_file_is_compared_before_it_is_taken(ask: Ask) -> None:
    api = added(ask)
    later = without_operation(petstore(info={"title": "Petstore", "version": "2"}), "/pets/{petId}/photo", "put")
    version = ask("POST", f"/{api['id']}/versions", {"file": as_file(later)}).json
    assert (version["number"], version["isPresent"]) == ("2", False)
    assert ask("GET", f"/{api['id']}").json["version"] == api["version"]

    found = ask("GET", f"/{api['id']}/versions/{version['id']}/difference").json
    assert [each["id"] for each in found["removed"]] == ["putPhoto"]
    assert found["added"] == []

    taken = ask("POST", f"/{api['id']}/versions/{version['id']}/take").json
    assert (taken["number"], taken["version"]) == ("2", version["version"])
    assert taken["actions"] == ["listPets", "addPet", "getPhoto"]
    assert [each["number"] for each in taken["versions"]] == ["2", "1.0.0"]


def test_the_same_file_is_the_same_version(ask: Ask) -> None:
    api = added(ask)
    again = ask("POST", f"/{api['id']}/versions", {"file": as_file(petstore())})
    assert again.json["version"] == api["version"]
    assert len(ask("GET", f"/{api['id']}").json["versions"]) == 1


def test_a_downloaded_file_is_the_same_version_elsewhere(ask: Ask) -> None:
    api = added(ask)
    file = ask("GET", f"/{api['id']}/versions/{api['versions'][0]['id']}/file")
    assert file.mimetype == "application/json"
    assert ask("POST", "", {"file": file.text}).json["version"] == api["version"]


def test_the_present_version_is_not_deleted(ask: Ask) -> None:
    api = added(ask)
    path = f"/{api['id']}/versions"
    other = ask("POST", path, {"file": as_file(petstore(info={"title": "Petstore", "version": "2"}))}).json
    assert ask("DELETE", f"{path}/{api['versions'][0]['id']}").status_code == 409
    assert ask("DELETE", f"{path}/{other['id']}").status_code == 204


def test_an_api_is_deleted(ask: Ask) -> None:
    path = f"/{added(ask)['id']}"
    assert ask("DELETE", path).status_code == 204
    assert ask("GET", path).status_code == 404


def test_what_cannot_be_used_is_listed_with_its_reason(ask: Ask) -> None:
    broken = petstore()
    broken["paths"]["/pets"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/Lost"}
    api = added(ask, broken)
    assert "addPet" not in api["actions"]
    (refused,) = api["refused"]
    assert (refused["operation"], refused["subject"]) == ("addPet", "POST /pets")
    assert "Lost" in refused["reason"]
