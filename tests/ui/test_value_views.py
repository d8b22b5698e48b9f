"""A value as a tree, a table and a schema: what each shows of it, and how much."""

from __future__ import annotations

from typing import Any

import pytest

from webapp.ui.data_tree import MOST_DRAWN, Datum, tree_of
from webapp.ui.value_views import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, Schema, Table, entries_of, schema_of, table_of

ORDERS = {"status": 200, "body": {"orders": [{"id": 1, "total": 9.5}, {"id": 2, "note": "gift"}]}}


def test_a_tree_names_the_reference_of_each_entry() -> None:
    status, body = entries_of(ORDERS, "steps.fetch")
    assert (status.path, status.value) == ("steps.fetch.status", "200")
    [orders] = body.inside
    assert orders.inside[1].inside[0].path == "steps.fetch.body.orders[1].id"


def test_a_tree_is_bounded_as_a_whole() -> None:
    def size(one: Datum) -> int:
        return 1 + sum(map(size, one.inside))

    wide: Any = "leaf"
    for _ in range(5):
        wide = [wide] * 30
    drawn = tree_of("wide", wide, "trigger")
    assert size(drawn) == MOST_DRAWN + 1
    assert drawn.more == 0


@pytest.mark.parametrize(
    ("value", "table"),
    [
        (ORDERS, Table("body.orders", ["id", "total", "note"], [["1", "9.5", ""], ["2", "", "gift"]])),
        ([{"a": 1}], Table("", ["a"], [["1"]])),
        ({"a": 1, "b": [1, 2]}, Table("", (), [("a", "1"), ("b", "[1,2]")])),
        (["x", None], Table("", (), [("x",), ("null",)])),
        ({"mixed": [{"a": 1}, 2]}, Table("", (), [("mixed", '[{"a":1},2]')])),
        ([], Table("", (), [])),
    ],
)
def test_a_table_shows_the_first_list_of_records_else_the_fields(value: Any, table: Table) -> None:
    assert table_of(value) == table


def test_a_table_says_what_it_leaves_out() -> None:
    records = [{f"c{number}": "x" * 500 for number in range(MOST_COLUMNS + 3)}] * (MOST_ROWS + 2)
    table = table_of(records)
    assert (len(table.rows), len(table.columns)) == (MOST_ROWS, MOST_COLUMNS)
    assert (table.more_rows, table.more_columns) == (2, 3)
    assert len(table.rows[0][0]) == LONGEST_CELL + 1
    assert table_of({str(number): number for number in range(MOST_ROWS + 4)}).more_rows == 4


def test_a_schema_is_read_from_all_records_of_a_list() -> None:
    schema = schema_of(ORDERS)
    assert schema.type == "object"
    status, body = schema.inside
    assert (status.name, status.type) == ("status", "integer")
    [orders] = body.inside
    assert orders.type == "array of object"
    assert [(one.name, one.type, one.optional) for one in orders.inside] == [
        ("id", "integer", False),
        ("total", "number", True),
        ("note", "string", True),
    ]


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (None, "null"),
        (True, "boolean"),
        ([1, "a", 2], "array of integer or string"),
        ([], "array"),
        ([[1]], "array of array"),
        ({"name": "a.txt", "type": "text/plain", "size": 1, "sha256": "0" * 64, "id": "file_" + "0" * 32}, "file"),
    ],
)
def test_a_schema_has_the_type_of_the_value(value: Any, type_: str) -> None:
    assert schema_of(value).type == type_


def test_a_schema_of_a_deep_value_ends() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = {"in": deep}
    schema, levels = schema_of(deep), 0
    while schema.inside:
        [schema], levels = schema.inside, levels + 1
    assert levels < 10
    assert isinstance(schema, Schema)
