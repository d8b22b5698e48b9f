"""What SQL_QUERY says of itself before it runs: which configs are refused, and what may be repeated."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM orders WHERE id = {{ trigger.id }}", "{{ steps.a.sql }}", "SELECT '{{ trigger.name }}' -- :name"],
)
def test_sql_holds_no_expressions(sql: str) -> None:
    config = {"connection": "shop", "sql": sql, "parameters": {"name": "{{ trigger.name }}"}}
    [problem] = load_catalog().validate("SQL_QUERY", config, "/actions/0")
    assert problem.pointer == "/actions/0/config/sql"
    assert "write :name" in problem.message


def test_parameters_hold_expressions() -> None:
    config = {"connection": "shop", "sql": "SELECT :name AS n", "parameters": {"name": "{{ trigger.name }}"}}
    assert load_catalog().validate("SQL_QUERY", config, "/actions/0") == []


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"sql": "SELECT 1"}, "connection"),
        ({"connection": "shop"}, ""),
        ({"connection": "shop", "operation": "drop", "sql": "x"}, "operation"),
        ({"connection": "shop", "operation": "insert", "table": "t", "rows": 7}, "rows"),
        ({"connection": "shop", "operation": "insert", "table": "t", "rows": ["a"]}, "rows/0"),
        ({"connection": "shop", "sql": "SELECT 1", "mostRows": 10**9}, "mostRows"),
        ({"connection": "shop", "sql": "x" * 100_001}, "sql"),
    ],
)
def test_what_is_wrong_is_refused_by_field(config: dict[str, Any], field: str) -> None:
    problems = load_catalog().validate("SQL_QUERY", config, "/actions/0")
    assert f"/actions/0/config/{field}".rstrip("/") in [problem.pointer for problem in problems]


@pytest.mark.parametrize(
    ("operation", "is_repeatable"),
    [(None, True), ("query", True), ("first", True), ("execute", False), ("insert", False), ("upsert", True)],
)
def test_what_reads_or_goes_by_keys_is_done_again_after_a_crash(operation: str | None, is_repeatable: bool) -> None:
    config = {"sql": "SELECT 1"} if operation is None else {"operation": operation}
    assert load_catalog().is_repeatable("SQL_QUERY", config) is is_repeatable
