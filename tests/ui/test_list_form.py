"""The form of LIST: a list of operations, each of which is chosen and brings the fields that it needs."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Problem
from webapp.ui.fields import fields_of
from webapp.ui.forms import config_from_form, draws_otherwise
from webapp.ui.step_fields import labels_of, notes_of

FIELDS = fields_of(load_catalog().get("LIST").config_schema())
[OPERATIONS] = [field for field in FIELDS if field.key == "operations"]
SORT, LIMIT, RENAME = "1", "2", "9"
SORTED, LIMITED = {"do": "sort", "fields": ["a", "b"], "descending": True}, {"do": "limit", "count": 3}


def posted(records: list[dict[str, str]], arrange: str = "") -> MultiDict[str, str]:
    named = {
        f"config.operations.{n}.{key}".rstrip("."): value
        for n, each in enumerate(records)
        for key, value in each.items()
    }
    return MultiDict({**named, "config.operations.count": str(len(records)), "arrange": arrange})


def read(form: MultiDict[str, str], before: list[dict[str, Any]]) -> Any:
    return config_from_form([OPERATIONS], form, {"operations": before}).get("operations")


def test_each_operation_has_a_small_form_of_its_own() -> None:
    assert (OPERATIONS.kind, OPERATIONS.entry) == ("records", "Operation")
    one = OPERATIONS.alternatives_of_record(0)
    assert one is not None
    forms = {each.label: [field.key for field in each.inner if field.kind != "constant"] for each in one.variants}
    assert forms["Filter"] == ["field", "condition", "value", "match", "conditions"]
    assert forms["Rename fields"] == ["names"]
    assert forms["Sum up"] == ["groupBy", "measures"]


def test_what_is_drawn_is_read_as_it_is_written() -> None:
    form = posted([
        {"variant": SORT, "drawn": SORT, "fields": "a\nb", "descending": "true"},
        {"variant": LIMIT, "drawn": LIMIT, "count": "3"},
    ])  # fmt: skip
    assert read(form, [SORTED, LIMITED]) == [SORTED, LIMITED]
    assert [OPERATIONS.heading(each, n) for n, each in enumerate((SORTED, LIMITED))] == ["1. Sort", "2. Limit"]


def test_another_operation_can_be_chosen() -> None:
    form = posted([{"variant": LIMIT, "drawn": SORT, "fields": "a"}])
    assert draws_otherwise(form)
    assert read(form, [SORTED]) == [{"do": "limit"}]


@pytest.mark.parametrize(
    ("arrange", "expected"),
    [
        ("add:config.operations", ["sort", "limit", None]),
        ("down:config.operations:0", ["limit", "sort"]),
        ("remove:config.operations:0", ["limit"]),
    ],
)
def test_operations_are_added_moved_and_removed(arrange: str, expected: list[Any]) -> None:
    drawn = [
        {"variant": SORT, "drawn": SORT, "fields": "a"},
        {"variant": LIMIT, "drawn": LIMIT, "count": "3"},
    ]
    assert [each.get("do") for each in read(posted(drawn, arrange), [SORTED, LIMITED])] == expected


def test_records_inside_an_operation_are_arranged_by_themselves() -> None:
    [aggregate] = [
        str(number)
        for number, each in enumerate(OPERATIONS.alternatives_of_record(0).variants)  # type: ignore[union-attr]
        if each.label == "Sum up"
    ]
    record = {"variant": aggregate, "drawn": aggregate, "measures.count": "1", "measures.0.name": "n"}
    written = read(posted([record], "add:config.operations.0.measures"), [{"do": "aggregate"}])
    assert written == [{"do": "aggregate", "measures": [{"name": "n"}, {}]}]


def test_a_problem_stands_beside_its_field() -> None:
    config = {"operations": [SORTED, {"do": "limit"}]}
    labels = labels_of(FIELDS, config)
    notes = notes_of("/a", [Problem("/a/config/operations/1/count", "is required")], labels)
    assert notes == {"config/operations/1/count": "How many is required"}
