"""Values of columns: what is taken for one, what comes back, and what is refused with the field's name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge import jsonio
from flowforge.data_tables.columns import Column, ColumnType, WantedColumn, changed_columns, name_from
from flowforge.data_tables.shape import Shape, key_id
from flowforge.data_tables.values import key_text, to_shown, to_stored
from flowforge.errors import Invalid


def column(type_: str) -> Column:
    return Column("c1", "it", ColumnType(type_))


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        ("text", "as it is ", "as it is "),
        ("text", "", ""),
        ("text", 12, "12"),
        ("text", 1.0, "1.0"),
        ("text", True, "true"),
        ("text", "a\0b", "a\ufffdb"),
        ("number", 10**400, 10**400),
        ("number", "12.50", 12.5),
        ("number", "007", 7),
        ("number", "-0", 0),
        ("number", "0" * 1_999 + "15", 15),
        ("number", "", None),
        ("boolean", "TRUE", True),
        ("boolean", False, False),
        ("datetime", "2026-03-04T06:06:07+01:00", "2026-03-04T05:06:07.000Z"),
        ("datetime", "0001-02-03", "0001-02-03T00:00:00.000Z"),
        ("datetime", 0, "1970-01-01T00:00:00.000Z"),
        ("json", {"b": 1, "a": [10**30]}, '{"b":1,"a":[1000000000000000000000000000000]}'),
        ("json", "text", '"text"'),
    ],
)
def test_what_fits_a_column(type_: str, value: Any, stored: Any) -> None:
    assert to_stored(column(type_), value) == stored
    assert type(to_stored(column(type_), value)) is type(stored)


@pytest.mark.parametrize(
    ("type_", "value", "problem"),
    [
        ("number", "twelve", "must be a number"),
        ("number", True, "must be a number"),
        ("number", float("nan"), "must be a number"),
        ("number", "1e999", "must be a number"),
        ("number", 10**1_000, "must be a number of at most 1,000 digits"),
        ("number", "-" + "9" * 10_000, "must be a number of at most 1,000 digits"),
        ("number", [1], "must be a number"),
        ("boolean", 1, "must be true or false"),
        ("boolean", "yes please", "must be true or false"),
        ("datetime", "tomorrow", "must be a time, such as 2026-03-04T05:06:07Z"),
        ("datetime", "1712101212112", "must be a time, such as 2026-03-04T05:06:07Z"),
        ("datetime", {}, "must be a time, such as 2026-03-04T05:06:07Z"),
    ],
)
def test_what_does_not_fit_is_refused(type_: str, value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        to_stored(column(type_), value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_json_comes_back_as_it_was(value: Any) -> None:
    written = jsonio.loads(jsonio.dumps_for_database(value))
    assert to_shown(column("json"), to_stored(column("json"), value)) == (None if value == "" else written)


def test_times_sort_as_their_texts_do() -> None:
    moments = [datetime(year, 1, 2, tzinfo=UTC) for year in (1, 50, 999, 1970, 2026, 9999)]
    stored = [to_stored(column("datetime"), jsonio.format_time(moment)) for moment in moments]
    assert stored == sorted(stored)
    assert {len(text) for text in stored} == {24}


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (10**20, 1e20), ("a", "a")])
def test_equal_values_have_the_same_key(one: Any, other: Any) -> None:
    assert key_text(one) == key_text(other)


class TestARow:
    shape = Shape((Column("c1", "email", ColumnType.TEXT), Column("c2", "age", ColumnType.NUMBER, True)), "c1")

    def test_is_stored_under_the_ids_of_its_columns(self) -> None:
        row = self.shape.new_row({"email": "a@b", "age": "40"}, "/values")
        assert (row.data, row.key) == ({"c1": "a@b", "c2": 40}, "a@b")
        assert self.shape.shown(row.data) == {"email": "a@b", "age": 40}

    def test_names_each_field_that_is_wrong(self) -> None:
        with pytest.raises(Invalid) as refused:
            self.shape.new_row({"emial": 1, "age": "x"}, "/rows/3")
        assert str(refused.value) == (
            "/rows/3/emial: there is no such column; did you mean 'email'?; /rows/3/age: must be a number"
        )

    def test_has_what_is_required(self) -> None:
        with pytest.raises(Invalid, match=r"^/values/email: is required; /values/age: is required$"):
            self.shape.new_row({}, "/values")

    def test_can_be_written_back_as_it_was_read(self) -> None:
        assert self.shape.changes({"id": "x", "createdAt": "y", "age": 1}, "/values").data == {"c2": 1}

    def test_has_no_endless_key(self) -> None:
        with pytest.raises(Invalid, match="/values/email: must have 1 to 500 characters"):
            self.shape.new_row({"email": "a" * 501, "age": 1}, "/values")


class TestColumns:
    def wanted(self, *entries: dict[str, Any]) -> list[WantedColumn]:
        return list(WantedColumn.read_all(list(entries)))

    def test_keep_their_ids_when_they_are_renamed(self) -> None:
        [before] = changed_columns((), self.wanted({"name": "mail"}))
        [after, _new] = changed_columns([before], self.wanted({"id": before.id, "name": "email"}, {"name": "age"}))
        assert (after.id, after.name) == (before.id, "email")

    @pytest.mark.parametrize(
        ("entry", "problem"),
        [
            ({"name": "1st"}, "/columns/1/name: must be letters"),
            ({"name": "createdat"}, "/columns/1/name: is what every row has anyway"),
            ({"name": "MAIL"}, "/columns/1/name: is the name of another column, too"),
            ({"name": "x", "id": "other"}, "/columns/1/id: must be the id of a column, once"),
        ],
    )
    def test_are_refused_with_the_field(self, entry: dict[str, Any], problem: str) -> None:
        with pytest.raises(Invalid) as refused:
            changed_columns((), self.wanted({"name": "mail"}, entry))
        assert str(refused.value).startswith(problem)

    @pytest.mark.parametrize("raw", [None, [], "x", [1], [{}], [{"name": "a", "type": "money"}], [{"name": 1}]])
    def test_of_another_shape_are_refused(self, raw: Any) -> None:
        with pytest.raises(Invalid, match="/columns"):
            WantedColumn.read_all(raw)

    def test_keep_their_type(self) -> None:
        [before] = changed_columns((), self.wanted({"name": "age", "type": "number"}))
        with pytest.raises(Invalid, match="/columns/0/type: cannot be changed"):
            changed_columns([before], self.wanted({"id": before.id, "name": "age", "type": "text"}))

    def test_of_flags_are_no_keys(self) -> None:
        with pytest.raises(Invalid, match="/key: must be a column of text, number, datetime"):
            key_id([column("boolean")], "it")


@pytest.mark.parametrize(
    ("heading", "taken", "name"),
    [("Order ID", (), "Order_ID"), ("1. Preis (€)", (), "_1_Preis"), ("id", (), "id_2"), ("a", ("A",), "a_2")],
)
def test_a_heading_makes_a_name(heading: str, taken: tuple[str, ...], name: str) -> None:
    assert name_from(heading, taken) == name
