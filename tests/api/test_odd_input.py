"""Input that no form of ours sends: it is refused, naming what is wrong, and never ends in an error of the server's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from flowforge.jsonio import JsonObject
from tests.people import Person

_ODD_VALUES: tuple[Any, ...] = ({"a": 1}, ["x"], "a\x00b", 7, True)


@pytest.fixture
def description(client: FlaskClient) -> JsonObject:
    found: JsonObject = client.get("/api/openapi.json").json
    return found


def operations(description: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), _filled(path), operation


def _filled(path: str) -> str:
    while "{" in path:
        path = path[: path.index("{")] + str(UUID(int=7)) + path[path.index("}") + 1 :]
    return path


def fields(description: JsonObject, operation: JsonObject) -> JsonObject:
    """The declared fields of the body, by name."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    found: JsonObject = schema.get("properties", {})
    return found


def test_what_is_no_name_is_refused_where_a_name_is_due(
    client: FlaskClient, owner: Person, description: JsonObject
) -> None:
    failed = []
    for method, path, operation in operations(description):
        names = fields(description, operation)
        for name in names:
            for odd in _ODD_VALUES:
                body = {**dict.fromkeys(names, "x"), name: odd}
                answer = client.open(path, method=method, json=body, headers=owner.headers)
                if answer.status_code >= 500:
                    failed.append((method, path, name, odd))
    assert failed == []


def test_a_nul_in_a_query_is_refused(client: FlaskClient, owner: Person, description: JsonObject) -> None:
    failed = []
    for method, path, operation in operations(description):
        names = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        for name in names:
            answer = client.open(path, method=method, query_string={name: "a\x00b"}, headers=owner.headers)
            if answer.status_code >= 500 or (method == "GET" and answer.status_code == 200):
                failed.append((method, path, name, answer.status_code))
    assert failed == []
