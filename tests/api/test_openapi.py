"""The description of the API: complete, valid, readable, and true."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema_rs import meta

from tests.api.described import OPERATIONS

_FACES = (
    "/api/",
    "/auth/",
    "/webhook/",
    "/webhook-answers/",
    "/webhook-test/",
    "/resume/",
    "/shared-files/",
    "/health/",
    "/metrics",
)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    return answer.json


def test_every_route_is_described_and_every_description_has_a_route(app: Flask) -> None:
    routed = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith(_FACES)}

    assert routed == set(OPERATIONS)


def test_every_description_has_a_title(document: dict[str, Any]) -> None:
    untitled = [path for path, methods in document["paths"].items() for one in methods.values() if not one["summary"]]

    assert untitled == []


def test_the_schemas_are_valid_json_schemas(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(document)))

    assert references <= set(document["components"]["schemas"])


def test_only_public_operations_do_without_a_token(app: Flask, client: FlaskClient, document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            if described["security"]:
                url = re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000000", path.replace("{number}", "1"))
                assert client.open(url, method=method.upper()).status_code == 401, (method, path)


def test_parameters_that_have_to_be_given_are_told(document: dict[str, Any]) -> None:
    deleting = document["paths"]["/api/v1/saved-filters"]["delete"]["parameters"]
    searching = document["paths"]["/api/v1/workflows/search"]["get"]["parameters"]

    assert {one["name"]: one["required"] for one in deleting} == {"list": True, "name": True}
    assert not any(one["required"] for one in searching)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.fragments: set[str] = set()
        self.addresses: set[str] = set()
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids.add(given.get("id") or "")
        href = given.get("href") or given.get("src") or ""
        (self.fragments if href.startswith("#") else self.addresses).add(href.removeprefix("#"))
        self.forbidden += [tag] if tag == "script" else []
        self.forbidden += [name for name in given if name.startswith("on") or name == "style"]


def test_the_page_shows_every_operation_and_needs_nothing_from_elsewhere(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    answer = client.get("/api/docs")
    page = _Page()
    page.feed(answer.text)

    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert {one["operationId"] for methods in document["paths"].values() for one in methods.values()} <= page.ids
    assert page.fragments <= page.ids
    assert all(address.startswith("/") or not address for address in page.addresses)
    assert page.forbidden == []
