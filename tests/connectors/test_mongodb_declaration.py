"""What MONGODB says of itself before it runs: which configs are refused, and what may be repeated."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog


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
