"""Objects, alternatives and typed lists in forms: drawn as far as they are filled in, and read typed."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from webapp.ui.fields import Field, fields_of
from webapp.ui.forms import config_from_form, draws_otherwise, without_undrawn

ADDRESS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "zip": {"type": "integer"}},
    "required": ["city"],
}
FOOD = {
    "oneOf": [
        {
            "title": "Dry",
            "type": "object",
            "required": ["kind", "grams"],
            "properties": {"kind": {"enum": ["dry"]}, "grams": {"type": "integer"}},
        },
        {
            "title": "Fresh",
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": ["fresh"]}, "from": {"type": "string"}},
        },
        {"title": "By name", "type": "string"},
    ]
}


def only(schema: dict[str, Any], *, required: bool = False) -> Field:
    (field,) = fields_of({"properties": {"it": schema}, "required": ["it"] if required else []})
    return field


def read(field: Field, before: Any = None, **posted: str | list[str]) -> Any:
    form = MultiDict({name.replace("__", "."): value for name, value in posted.items()})
    config = config_from_form([field], form, {} if before is None else {"it": before}, prefix="")
    return config.get("it")


class TestObjects:
    field = only(ADDRESS)

    def test_an_optional_one_is_drawn_once_it_is_added(self) -> None:
        assert not self.field.is_drawn({})
        assert read(self.field, arrange="open:it") == {}
        assert self.field.is_drawn({"it": {}})

    def test_its_fields_are_read_typed(self) -> None:
        assert read(self.field, it__drawn="yes", it__city="Bonn", it__zip="53111") == {"city": "Bonn", "zip": 53111}

    def test_one_that_is_emptied_stays_until_it_is_removed(self) -> None:
        assert read(self.field, {"city": "Bonn"}, it__drawn="yes", it__city="") == {}
        assert read(self.field, {"city": "Bonn"}, it__drawn="yes", it__city="Bonn", arrange="close:it") is None

    def test_one_that_was_not_drawn_stays_as_it_was(self) -> None:
        assert read(self.field, {"city": "Bonn"}) == {"city": "Bonn"}

    def test_an_open_one_without_values_is_left_out(self) -> None:
        opened = only({**ADDRESS, "isOpen": True})
        assert opened.is_drawn({})
        assert read(opened, it__drawn="yes", it__city="") is None

    def test_an_expression_may_stand_for_all_of_it(self) -> None:
        assert read(self.field, it="{{ trigger.body }}") == "{{ trigger.body }}"
        assert self.field.is_expression({"it": "{{ trigger.body }}"})

    def test_keys_that_no_field_is_for_stay(self) -> None:
        assert read(self.field, {"street": "B 9"}, it__drawn="yes", it__city="Bonn") == {
            "street": "B 9",
            "city": "Bonn",
        }

    def test_many_optional_fields_are_folded_away_until_they_have_a_value(self) -> None:
        many = {f"f{number}": {"type": "string"} for number in range(40)}
        field = only({"type": "object", "properties": {**many, "name": {"type": "string"}}, "required": ["name"]})
        first, more = field.folded({"it": {"f30": "set"}})
        assert [inner.key for inner in first][:2] == ["name", "f30"]
        assert len(first) + len(more) == 41
        assert len(first) < 10


class TestAlternatives:
    field = only(FOOD)

    @pytest.mark.parametrize(
        ("value", "number"),
        [
            (None, None),
            ({"kind": "dry", "grams": 5}, 0),
            ({"kind": "fresh", "from": "Bonn"}, 1),
            ({"from": "{{ trigger.place }}"}, 1),
            ("Rex", 2),
        ],
    )
    def test_the_one_that_a_value_fits_is_drawn(self, value: Any, number: int | None) -> None:
        assert self.field.variant({} if value is None else {"it": value}) == number

    def test_the_chosen_one_is_read_with_what_tells_it_apart(self) -> None:
        posted = {"it__variant": "0", "it__drawn": "0", "it__grams": "50"}
        assert read(self.field, **posted) == {"kind": "dry", "grams": 50}

    def test_another_one_begins_anew(self) -> None:
        before = {"kind": "dry", "grams": 50}
        posted = {"it__variant": "1", "it__drawn": "0", "it__grams": "50"}
        assert read(self.field, before, **posted) == {"kind": "fresh"}
        assert draws_otherwise(MultiDict({name.replace("__", "."): value for name, value in posted.items()}))

    def test_a_text_is_one_too(self) -> None:
        assert read(self.field, it__variant="2", it__drawn="2", it="Rex") == "Rex"

    def test_none_may_be_chosen(self) -> None:
        assert read(self.field, {"kind": "dry"}, it__variant="", it__drawn="0") is None


class TestLists:
    def test_numbers_are_read_as_numbers(self) -> None:
        field = only({"type": "array", "items": {"type": "integer"}})
        assert read(field, it="1\n2\n{{ trigger.n }}") == [1, 2, "{{ trigger.n }}"]

    def test_texts_stay_texts(self) -> None:
        assert read(only({"type": "array", "items": {"type": "string"}}), it="1\n2") == ["1", "2"]

    def test_choices_that_are_no_texts_keep_their_type(self) -> None:
        assert read(only({"type": "array", "items": {"enum": [1, 2, 3]}}), it=["1", "3"]) == [1, 3]
        assert read(only({"enum": [10, 20]}), it="20") == 20


def test_what_belongs_to_other_fields_is_dropped_from_open_objects() -> None:
    opened = only({**ADDRESS, "isOpen": True})
    assert without_undrawn([opened], {"it": {"city": "Bonn", "lost": 1}, "else": 2}) == {
        "it": {"city": "Bonn"},
        "else": 2,
    }


def test_a_value_is_the_same_as_fields_and_as_a_text() -> None:
    value = {"city": "Bonn", "zip": 53111}
    field = only(ADDRESS)
    posted = {"it__drawn": "yes", "it__city": "Bonn", "it__zip": "53111"}
    assert read(field, value, **posted, arrange="write:it") == value
    shown = field.shown({"it": value})
    assert read(field, value, it=shown, it__written="yes", arrange="draw:it") == value
    assert read(field, value, it="{{ trigger.body }}", it__written="yes") == "{{ trigger.body }}"
    assert read(field, value, it=" ", it__written="yes") is None
