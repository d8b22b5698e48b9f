"""Saved filters in the API."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from flowforge.workflows.saved_filters import MOST
from tests.api.things import pointers
from tests.people import Person

FILTERS = "/api/v1/saved-filters"


def save(client: FlaskClient, person: Person, listed: str = "executions", **body: object) -> Any:
    return client.put(FILTERS, query_string={"list": listed}, json=body, headers=person.headers)


def saved(client: FlaskClient, person: Person, listed: str = "executions") -> Any:
    return client.get(FILTERS, query_string={"list": listed}, headers=person.headers).json


def delete(client: FlaskClient, person: Person, name: str) -> int:
    asked = {"list": "executions", "name": name}
    return client.delete(FILTERS, query_string=asked, headers=person.headers).status_code


def test_a_filter_is_kept_as_the_page_would_keep_it(client: FlaskClient, owner: Person, stranger: Person) -> None:
    kept = {"name": "My failures", "query": "q=x&status=FAILED"}
    asked = save(client, owner, name=" My  failures ", query="trigger=&status=FAILED&at=1&evil=2&q=x")
    assert (asked.status_code, asked.json) == (200, kept)
    assert saved(client, owner) == [kept]
    assert saved(client, owner, "workflows") == saved(client, stranger) == []


def test_one_of_the_same_name_is_replaced(client: FlaskClient, owner: Person) -> None:
    for status in ("FAILED", "RUNNING"):
        save(client, owner, name="Mine", query=f"status={status}")
    assert saved(client, owner) == [{"name": "Mine", "query": "status=RUNNING"}]


def test_a_filter_is_deleted_by_its_name(client: FlaskClient, owner: Person, stranger: Person) -> None:
    save(client, owner, name="a/b & c", query="q=x")
    assert delete(client, stranger, "a/b & c") == 404
    assert delete(client, owner, "a/b & c") == 204
    assert delete(client, owner, "a/b & c") == 404
    assert saved(client, owner) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": "q=x"}, "/name"),
        ({"name": "a\0b", "query": "q=x"}, "/name"),
        ({"name": "x" * 61, "query": "q=x"}, "/name"),
        ({"name": "x", "query": "evil=1"}, "/query"),
        ({"name": "x", "query": "q=" + "x" * 1_000}, "/query"),
        ({"name": "x", "query": "q=" + "\u00fc" * 300}, "/query"),
        ({"name": "x", "query": 7}, "/query"),
    ],
)
def test_what_is_no_filter_is_refused_by_its_field(
    client: FlaskClient, owner: Person, body: dict[str, object], field: str
) -> None:
    answer = save(client, owner, **body)
    assert (answer.status_code, pointers(answer.json)) == (400, {field})


def test_there_are_two_lists(client: FlaskClient, owner: Person) -> None:
    for asked in ({}, {"list": "tables"}):
        answer = client.get(FILTERS, query_string=asked, headers=owner.headers)
        assert (answer.status_code, pointers(answer.json)) == (400, {"/list"})  # type: ignore[arg-type]


def test_their_number_is_bounded(client: FlaskClient, owner: Person) -> None:
    for number in range(MOST):
        assert save(client, owner, name=str(number), query="q=x").status_code == 200
    answer = save(client, owner, name="one more", query="q=x")
    assert (answer.status_code, pointers(answer.json)) == (400, {"/name"})
    assert len(saved(client, owner)) == MOST
