"""What MONGODB says of itself before it runs: which configs are refused, and what may be repeated."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError
from flowforge.language.expressions.resolving import resolve


def messages(**config: Any) -> list[str]:
    given = {"connection": "shop", "collection": "orders", **config}
    return [problem.message for problem in load_catalog().validate("MONGODB", given, "/actions/0")]


CODE: list[dict[str, Any]] = [
    {"filter": {"$where": "sleep(10000)"}},
    {"filter": {"$or": [{"a": 1}, {"b": {"$elemMatch": {"$where": "true"}}}]}},
    {"filter": {"$expr": {"$function": {"body": "function() {}", "args": [], "lang": "js"}}}},
    {"projection": {"a": {"$function": {"body": "function() {}", "args": [], "lang": "js"}}}},
    {"operation": "aggregate", "pipeline": [{"$group": {"_id": 1, "a": {"$accumulator": {}}}}]},
    {"operation": "aggregate", "pipeline": [{"$lookup": {"from": "b", "pipeline": [{"$match": {"$where": "1"}}]}}]},
    {"operation": "update", "filter": {"a": 1}, "update": {"$set": {"a": {"$function": {}}}}},
    {"operation": "delete", "filter": {"$where": "true"}, "many": True},
]


@pytest.mark.parametrize("config", CODE)
def test_what_runs_code_is_refused_unless_the_step_allows_it(config: dict[str, Any]) -> None:
    [message] = messages(**config)
    assert "runs code on the server" in message
    assert messages(**config, allowCode=True) == []


@pytest.mark.parametrize(
    "stage",
    [{"$out": "b"}, {"$merge": {"into": "b"}}, {"$facet": {"a": [{"$out": "b"}]}}, {"$match": {}, "$merge": "b"}],
)
def test_stages_that_write_are_refused_unless_the_step_allows_them(stage: dict[str, Any]) -> None:
    [message] = messages(operation="aggregate", pipeline=[{"$match": {}}, stage])
    assert "writes to a collection" in message
    assert messages(operation="aggregate", pipeline=[stage], allowWriting=True) == []


def test_documents_may_hold_such_names() -> None:
    documents = [{"$where": "a", "$out": "b", "a": {"$function": 1}}]
    assert messages(operation="insert", documents=documents) == []


@pytest.mark.parametrize(
    ("config", "is_repeatable"),
    [
        ({}, True),
        ({"operation": "count"}, True),
        ({"operation": "aggregate"}, True),
        ({"operation": "aggregate", "allowWriting": True}, False),
        ({"operation": "upsert"}, True),
        ({"operation": "insert"}, False),
        ({"operation": "update"}, False),
        ({"operation": "delete"}, False),
    ],
)
def test_what_reads_or_goes_by_keys_is_done_again_after_a_crash(config: dict[str, Any], is_repeatable: bool) -> None:
    assert load_catalog().is_repeatable("MONGODB", config) is is_repeatable


MATCH = {"$match": {"name": "{{ trigger.name }}"}}
EQUAL = {"$expr": {"$eq": ["$name", "{{ trigger.name }}"]}}


@pytest.mark.parametrize(
    ("written", "name", "problem"),
    [
        ({"filter": {"name": "{{ trigger.name }}"}}, {"$ne": None}, "filter.name: the data hold '$ne'"),
        ({"filter": {"$or": [{"a": 1}, {"name": "{{ trigger.name }}"}]}}, {"$gt": ""}, "filter.$or.1.name: "),
        ({"filter": {"name": {"$in": "{{ trigger.name }}"}}}, [{"$ne": None}], "filter.name.$in: "),
        ({"update": {"$set": {"name": "{{ trigger.name }}"}}}, {"a": {"$inc": 1}}, "update.$set.name: "),
        ({"pipeline": [MATCH]}, {"$ne": None}, "pipeline.0.$match.name: "),
        ({"pipeline": [{"$set": {"a": "{{ trigger.name }}"}}]}, "$secret", "would name a field"),
        ({"pipeline": [{"$match": EQUAL}]}, "$secret", "would name a field"),
        ({"filter": EQUAL}, "$secret", "would name a field"),
        ({"filter": {"name": "{{ trigger.name }}"}}, "$5.00", None),
        ({"pipeline": [MATCH]}, "$5.00", None),
        ({"pipeline": [{"$set": {"a": {"$literal": "{{ trigger.name }}"}}}]}, "$5.00", None),
        ({"filter": {"name": "{{ trigger.name }}"}}, {"$oid": "65f0a1b2c3d4e5f600000001"}, None),
        ({"filter": {"name": {"$in": "{{ trigger.name }}"}}}, ["a", "b"], None),
        ({"filter": "{{ trigger.name }}"}, {"total": {"$gt": 7}}, None),
        ({"documents": ["{{ trigger.name }}"]}, {"$ne": None}, None),
    ],
)
def test_data_never_become_operators(written: dict[str, Any], name: Any, problem: str | None) -> None:
    connector = load_catalog().get("MONGODB")
    resolved = resolve(written, {"trigger": {"name": name}}, step="find", field="config")
    if problem is None:
        connector.require_harmless_values(written, resolved)
        return
    with pytest.raises(ConnectorError) as caught:
        connector.require_harmless_values(written, resolved)
    assert caught.value.permanent
    assert problem in str(caught.value)
