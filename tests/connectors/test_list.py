"""LIST: each of its operations, one after another, with errors that name the field, and within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError
from flowforge.language.unknown_keys import warnings_of

LIST = load_catalog().get("LIST")
ORDERS: list[dict[str, Any]] = [
    {"id": 1, "to": {"name": "Ada"}, "total": "20", "tags": ["new", "gift"], "note": ""},
    {"id": 2, "to": {"name": "Bob"}, "total": 9, "tags": [], "note": "ring twice"},
    {"id": 3, "to": {"name": "Ada"}, "total": 15.5, "tags": ["new"]},
    {"id": 4, "to": None, "total": None, "tags": ["gift"], "note": None},
]
PEOPLE = [{"name": "Ada", "mail": "ada@x.test"}, {"name": "Cyd", "mail": "cyd@x.test"}]


def worked(*operations: dict[str, Any], members: Any = ORDERS) -> list[Any]:
    assert LIST.computes is not None
    output = LIST.computes(LIST.parse({"list": members, "operations": list(operations)}))
    assert output["count"] == len(output["items"])
    items: list[Any] = output["items"]
    return items


def ids(*operations: dict[str, Any]) -> list[int]:
    return [order["id"] for order in worked(*operations)]


@pytest.mark.parametrize(
    ("field", "condition", "value", "expected"),
    [
        ("total", "equals", 20, [1]),
        ("total", "equals", "9", [2]),
        ("total", "differs", 9, [1, 3, 4]),
        ("total", "greater", "15", [1, 3]),
        ("total", "atLeast", 20, [1]),
        ("total", "less", 15.5, [2]),
        ("total", "atMost", 15.5, [2, 3]),
        ("total", "greater", "many", []),
        ("to.name", "equals", "Ada", [1, 3]),
        ("to.name", "begins", "B", [2]),
        ("to.name", "ends", "a", [1, 3]),
        ("tags", "contains", "new", [1, 3]),
        ("tags", "lacks", "gift", [2, 3]),
        ("note", "contains", "ring", [2]),
        ("note", "empty", None, [1, 3, 4]),
        ("note", "given", None, [2]),
        ("tags[0]", "equals", "gift", [4]),
    ],
)
def test_filter_takes_those_for_which_its_condition_holds(
    field: str, condition: str, value: Any, expected: list[int]
) -> None:
    assert ids({"do": "filter", "field": field, "condition": condition, "value": value}) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"match": "any"}, [1, 2, 3]),
        ({"match": "all"}, [3]),
        ({}, [3]),
        ({"match": "any", "field": "id", "condition": "equals", "value": 4}, [1, 2, 3, 4]),
        ({"field": "id", "condition": "atLeast", "value": 2}, [3]),
        ({"match": "any", "conditions": [], "field": "id", "value": 1}, [1]),
    ],
)
def test_filter_takes_several_conditions(changes: dict[str, Any], expected: list[int]) -> None:
    conditions = [
        {"field": "to.name", "condition": "equals", "value": "Ada"},
        {"field": "total", "condition": "less", "value": 18},
    ]
    assert ids({"do": "filter", "conditions": conditions, **changes}) == expected
    assert worked({"do": "filter", "conditions": conditions, **changes}, members=[]) == []


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"do": "sort", "fields": ["total"]}, [2, 3, 1, 4]),
        ({"do": "sort", "fields": ["total"], "descending": True}, [1, 3, 2, 4]),
        ({"do": "sort", "fields": ["to.name", "total"]}, [3, 1, 2, 4]),
        ({"do": "limit", "count": 2, "skip": 1}, [2, 3]),
        ({"do": "limit", "count": 2, "end": "last", "skip": 1}, [2, 3]),
        ({"do": "limit", "count": 9, "end": "last"}, [1, 2, 3, 4]),
        ({"do": "limit", "count": 0}, []),
        ({"do": "dedupe", "fields": ["to.name"]}, [1, 2, 4]),
        ({"do": "dedupe", "fields": ["to.name"], "keep": "last"}, [2, 3, 4]),
        ({"do": "compare", "with": [{"id": "1"}, {"id": 3}], "fields": ["id"]}, [2, 4]),
        ({"do": "compare", "with": [{"id": "1"}, {"id": 3}], "fields": ["id"], "keep": "common"}, [1, 3]),
        ({"do": "compare", "with": ORDERS[1:]}, [1]),
    ],
)
def test_operations_that_choose_and_order(operation: dict[str, Any], expected: list[int]) -> None:
    assert ids(operation) == expected


def test_plain_members_are_worked_on_as_they_are() -> None:
    operations = [
        {"do": "dedupe"},
        {"do": "filter", "condition": "greater", "value": 1},
        {"do": "sort", "descending": True},
    ]
    assert worked(*operations, members=[3, 1, 2, 3, "10"]) == ["10", 3, 2]


def test_aggregate_gives_a_record_for_each_group() -> None:
    measures = [
        {"name": "orders"},
        {"name": "sum", "how": "sum", "field": "total"},
        {"name": "mean", "how": "average", "field": "total"},
        {"name": "most", "how": "max", "field": "total"},
        {"name": "ids", "how": "list", "field": "id"},
    ]
    assert worked({"do": "aggregate", "groupBy": ["to.name"], "measures": measures}) == [
        {"to.name": "Ada", "orders": 2, "sum": 35.5, "mean": 17.75, "most": "20", "ids": [1, 3]},
        {"to.name": "Bob", "orders": 1, "sum": 9, "mean": 9.0, "most": 9, "ids": [2]},
        {"to.name": None, "orders": 1, "sum": 0, "mean": None, "most": None, "ids": [4]},
    ]
    assert worked({"do": "aggregate", "measures": measures[:2]}, members=[]) == [{"orders": 0, "sum": 0}]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("inner", [(1, "ada@x.test"), (3, "ada@x.test")]),
        ("left", [(1, "ada@x.test"), (2, None), (3, "ada@x.test"), (4, None)]),
        ("right", [(1, "ada@x.test"), (3, "ada@x.test"), (None, "cyd@x.test")]),
        ("outer", [(1, "ada@x.test"), (2, None), (3, "ada@x.test"), (4, None), (None, "cyd@x.test")]),
    ],
)
def test_join_by_a_field(keep: str, expected: list[Any]) -> None:
    joined = worked({"do": "join", "with": PEOPLE, "field": "to.name", "otherField": "name", "keep": keep})
    assert [(record.get("id"), record.get("mail")) for record in joined] == expected


def test_join_by_position_with_all_and_under_a_name() -> None:
    letters = [{"letter": "a"}, {"letter": "b"}]
    by_position = worked({"do": "join", "with": letters, "by": "position", "keep": "left"})
    assert [record.get("letter") for record in by_position] == ["a", "b", None, None]
    assert len(worked({"do": "join", "with": letters, "by": "all"})) == 8
    named = worked({"do": "join", "with": PEOPLE, "field": "to.name", "otherField": "name", "name": "person"})
    assert [record["person"] for record in named] == [PEOPLE[0], PEOPLE[0]]


def test_fields_are_kept_renamed_and_removed_in_order() -> None:
    operations = [
        {"do": "keep", "fields": ["id", "to.name", "total"]},
        {"do": "rename", "names": {"to.name": "customer"}},
        {"do": "remove", "fields": ["total"]},
        {"do": "limit", "count": 1},
    ]
    assert worked(*operations) == [{"id": 1, "customer": "Ada"}]


def test_lists_take_another_shape() -> None:
    expanded = worked({"do": "expand", "field": "tags"}, {"do": "keep", "fields": ["id", "tags"]})
    assert [(record["id"], record["tags"]) for record in expanded] == [(1, "new"), (1, "gift"), (3, "new"), (4, "gift")]
    pivot = {"do": "pivot", "rows": "tags", "columns": "to.name", "values": "total"}
    assert worked({"do": "filter", "field": "to", "condition": "given"}, {"do": "expand", "field": "tags"}, pivot) == [
        {"tags": "new", "Ada": 35.5},
        {"tags": "gift", "Ada": 20},
    ]


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (
            {"do": "rename", "names": {"a": "b"}},
            "operations.0: rename needs objects; there is a number among the members",
        ),
        ({"do": "nope"}, "operations.0.do: must be one of filter, sort"),
        ({}, "operations.0.do: is required"),
        ({"do": "filter", "field": "a[", "condition": "equals"}, "operations.0.field: is no path at"),
        ({"do": "join", "with": "x"}, "operations.0.with: must be a list"),
        ({"do": "limit", "count": -1}, "operations.0.count: "),
        ({"do": "aggregate", "measures": [{"name": "s", "how": "sum"}, {"name": ""}]}, "measures.1.name: is empty"),
    ],
)
def test_what_is_wrong_names_the_field(operation: dict[str, Any], told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        worked(operation, members=[1, 2])
    assert told in str(caught.value)
    assert caught.value.permanent


def test_a_sum_of_texts_is_an_error() -> None:
    with pytest.raises(ConnectorError, match=r"operations.1: sum needs numbers, not text"):
        worked(
            {"do": "limit", "count": 9}, {"do": "aggregate", "measures": [{"name": "s", "how": "sum", "field": "note"}]}
        )


def test_problems_are_said_beside_the_field_before_it_runs() -> None:
    operations = [
        {"do": "join"},
        {"do": "join", "with": "{{ steps.a.rows }}", "keep": "all"},
        {"do": "sort", "fields": 5},
    ]
    problems = LIST.problems({"list": "{{ trigger.rows }}", "operations": operations}, "/config")
    assert [problem.pointer for problem in problems] == [
        "/config/operations/0/with",
        "/config/operations/1/keep",
        "/config/operations/2/fields",
    ]


MANY = [{"id": number, "key": number % 2, "text": "x" * 50} for number in range(20_000)]


@pytest.mark.parametrize(
    "operation",
    [
        {"do": "join", "with": MANY, "field": "id"},
        {"do": "compare", "with": MANY},
        {"do": "sort", "fields": ["text", "id"]},
        {"do": "aggregate", "groupBy": ["id"], "measures": [{"name": "n"}]},
    ],
)
def test_twenty_thousand_members_are_no_trouble(operation: dict[str, Any]) -> None:
    assert isinstance(worked(operation, members=MANY), list)


@pytest.mark.parametrize(
    "operation",
    [
        {"do": "join", "with": MANY, "by": "all"},
        {"do": "join", "with": MANY, "field": "key"},
        {"do": "pivot", "rows": "id", "columns": "text", "values": "id"},
        {"do": "pivot", "rows": "text", "columns": "id", "values": "id"},
    ],
)
def test_what_would_multiply_is_counted_before_it_is_made(operation: dict[str, Any]) -> None:
    several = [{**each, "text": f"{each['id']}"} for each in MANY] if operation["do"] == "pivot" else MANY
    with pytest.raises(ConnectorError, match=r"operations.0: (too much work|too large|pivot: there would be)"):
        worked(operation, members=several)


def test_a_key_of_another_operation_has_no_effect_and_is_told() -> None:
    operations = [{"do": "sort", "fields": ["a"]}, {"do": "limit", "count": 1, "skipp": 2}, {"do": "sort", "count": 1}]
    warnings = [*warnings_of(LIST.config, {"list": [], "operations": operations}, ("config",))]
    told = {warning.pointer: warning.message for warning in warnings}
    assert sorted(told) == ["/config/operations/1/skipp", "/config/operations/2/count"]
    assert "did you mean 'skip'?" in told["/config/operations/1/skipp"]


def test_the_published_schema_refers_to_nothing() -> None:
    assert "$" not in str(LIST.config_schema())
