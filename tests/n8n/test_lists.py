"""Nodes that work on lists give what they give in n8n: their code is run."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.n8n.report import Outcome
from tests.n8n.graphs import MANUAL, Json, actions, graph, imported, node, run, sets

FIRST = [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]
SECOND = [{"id": 2, "m": "x"}, {"id": 3, "m": "y"}]
THIRD = [{"k": 1}, {"k": 2}]


def _merged(parameters: Json, lists: list[list[Json]]) -> Any:
    """What a Merge node with so many inputs gives."""
    sources = [sets(f"S{number}", n="1") for number in range(len(lists))]
    links = [link for number in range(len(lists)) for link in (f"Start > S{number}", f"S{number} > M {number}")]
    found = actions(graph([MANUAL, *sources, node("M", "merge", parameters, typeVersion=3)], *links))
    return run(found[-1]["config"], {"lists": lists})


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            {"mode": "combine", "combineBy": "combineByPosition", "numberInputs": 3},
            [{"id": 2, "n": "a", "m": "x", "k": 1}, {"id": 3, "n": "b", "m": "y", "k": 2}],
        ),
        ({"mode": "combine", "combineBy": "combineByFields", "fieldsToMatchString": "id"}, []),
    ],
)
def test_three_lists_are_combined_one_after_another(parameters: Json, expected: list[Json]) -> None:
    assert _merged(parameters, [FIRST, SECOND, THIRD]) == expected


def test_rows_of_two_lists_whose_fields_are_equal() -> None:
    by_id = {"mode": "combine", "combineBy": "combineByFields", "fieldsToMatchString": "id"}
    assert _merged(by_id, [FIRST, SECOND]) == [{"id": 2, "n": "b", "m": "x"}]
    assert _merged(by_id | {"joinMode": "enrichInput1"}, [FIRST, SECOND]) == [FIRST[0], {"id": 2, "n": "b", "m": "x"}]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT * FROM input1 LEFT JOIN input2 ON input1.id = input2.id", [FIRST[0], {"id": 2, "n": "b", "m": "x"}]),
        (
            "SELECT input1.n AS name, input2.m FROM input1 JOIN input2 ON input1.id = input2.id;",
            [{"name": "b", "m": "x"}],
        ),
        (
            "SELECT input1.* FROM input1\nLEFT JOIN input2 ON input1.id = input2.id -- new\nWHERE input2.id IS NULL",
            [FIRST[0]],
        ),
        (
            "SELECT input1.id, input2.m FROM input1 LEFT JOIN input2 ON true",
            [{"id": id_, "m": m} for id_ in (1, 2) for m in ("x", "y")],
        ),
    ],
)
def test_lists_are_joined_by_sql(query: str, expected: list[Json]) -> None:
    assert _merged({"mode": "combineBySql", "query": query}, [FIRST, SECOND]) == expected


@pytest.mark.parametrize(
    "query", ["SELECT COUNT(*) FROM input1", "SELECT * FROM input1 JOIN input2 ON input1.id > 2", "DROP TABLE input1"]
)
def test_sql_that_is_more_than_joins_is_left(query: str) -> None:
    merge = node("M", "merge", {"mode": "combineBySql", "query": query}, typeVersion=3)
    links = ("Start > S0", "Start > S1", "S0 > M 0", "S1 > M 1")
    found = imported(graph([MANUAL, sets("S0", n="1"), sets("S1", n="1"), merge], *links))
    (left,) = found.report.with_outcome(Outcome.LEFT)
    assert "do that in a CODE step" in left.notes[0]


def _given(name: str, parameters: Json, given: Json, *, version: float = 1) -> Any:
    found = actions(graph([MANUAL, node("N", name, parameters, typeVersion=version)], "Start > N"))
    return run(found[-1]["config"], given)


ROWS = [{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "b": 2, "c": 4}]


def test_items_that_are_equal_in_several_fields_come_once() -> None:
    chosen = {"compare": "selectedFields", "fieldsToCompare": "a, b"}
    assert _given("removeDuplicates", chosen, {"items": ROWS}, version=2) == ROWS[:2]
    others = {"compare": "allFieldsExcept", "fieldsToExclude": "b, c"}
    assert _given("removeDuplicates", others, {"items": ROWS}, version=2) == ROWS[:1]


def test_items_are_sorted_by_code_and_by_chance() -> None:
    by_code = {"type": "code", "code": "return b.json.b - a.json.b;"}
    assert [row["b"] for row in _given("sort", by_code, {"items": ROWS})] == [3, 2, 2]
    assert sorted(row["b"] for row in _given("sort", {"type": "random"}, {"items": ROWS})) == [2, 2, 3]


def test_fields_get_new_names() -> None:
    keys = {"keys": {"key": [{"currentKey": "a.b", "newKey": "c"}, {"currentKey": "none", "newKey": "d"}]}}
    assert _given("renameKeys", keys, {"item": {"a": {"b": 1}, "x": 2}}) == {"a": {}, "c": 1, "x": 2}
    pattern = {"replacements": [{"searchRegex": "^my_", "replaceRegex": ""}]}
    parameters = {"keys": {}, "additionalOptions": {"regexReplacement": pattern}}
    assert _given("renameKeys", parameters, {"item": {"my_a": 1, "b": 2}}) == {"a": 1, "b": 2}


def test_the_field_to_split_may_be_computed() -> None:
    given = {"item": {"field": "rows", "rows": [{"n": 1}, 2]}, "field": "rows"}
    assert _given("splitOut", {"fieldToSplitOut": "={{ $json.field }}"}, given) == [{"n": 1}, {"rows": 2}]


def test_what_is_summed_up_may_be_computed() -> None:
    values = [{"field": "={{ $json.column }}", "aggregation": "sum"}]
    given = {"rows": ROWS, "by": "a", "sums": [["sum", "b", ","]]}
    assert _given("summarize", {"fieldsToSummarize": {"values": values}, "fieldsToSplitBy": "={{ 'a' }}"}, given) == [
        {"a": 1, "sum_b": 7}
    ]


@pytest.mark.parametrize(
    ("parameters", "config"),
    [
        ({"operation": "sort", "sortFieldsUi": {"sortField": [{"fieldName": "b"}]}}, "| sort('b')"),
        ({"operation": "limit", "maxItems": 5}, "[:5]"),
        (
            {
                "operation": "removeDuplicates",
                "compare": "selectedFields",
                "fieldsToCompare": {"fields": [{"fieldName": "b"}]},
            },
            "| unique('b')",
        ),
    ],
)
def test_item_lists_is_the_node_that_its_operation_has_become(parameters: Json, config: str) -> None:
    (step,) = actions(graph([MANUAL, node("N", "itemLists", parameters)], "Start > N"))
    assert config in step["config"]["output"]["items"]


def test_a_parameter_that_is_no_expression_for_all_its_sign_is_read_as_it_is() -> None:
    (step,) = actions(
        graph(
            [MANUAL, node("N", "httpRequest", {"url": "=https://a.test", "method": "=PUT"}, typeVersion=4)], "Start > N"
        )
    )
    assert (step["config"]["url"], step["config"]["method"]) == ("https://a.test", "PUT")


def test_a_workflow_calls_itself_by_the_key_that_it_gets() -> None:
    call = node("Again", "executeWorkflow", {"workflowId": "={{ $workflow.id }}"})
    found = imported(graph([node("Called", "executeWorkflowTrigger"), call], "Called > Again"))
    (workflow,) = found.workflows
    assert workflow.key == "n8n-example"
    assert workflow.definition["actions"][0]["config"]["workflowId"].endswith("n8n-example")
