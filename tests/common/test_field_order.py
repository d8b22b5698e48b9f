"""The order of fields, kept beside values that jsonb sorts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.field_order import in_stored_order, order_of, orders_of, restore

names = st.sampled_from(["a", "b", "id", "$type", "name", "ü", "@odata.type", "zip", "aa", ""]) | st.text(max_size=3)
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
    max_leaves=30,
)


def stored(value: Any) -> Any:
    """As PostgreSQL gives it back."""
    if isinstance(value, dict):
        ordered = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return {name: stored(value[name]) for name in ordered}
    return [stored(part) for part in value] if isinstance(value, list) else value


def sent_again(value: Any) -> Any:
    """The value after it and its order were stored."""
    order = json.loads(json.dumps(order_of(value)))
    return restore(stored(value), order)


@given(values)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    assert json.dumps(sent_again(value)) == json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"zip": "1010", "name": "Ann", "email": "a@example.org", "id": 7}',
        '{"$type": "circle", "id": 7, "radius": 2}',
        '[{"b": 1, "a": 2}, {"a": 1, "b": 2}, {"b": {"d": 1, "c": [{"b": 1, "a": 2}]}, "a": 2}]',
        '{"second": {"b": 1, "a": 2}, "first": {"a": 1, "b": 2}}',
        '{"10": 1, "9": 2, "ä": 3, "z": 4}',
    ],
)
def test_what_was_sent_is_what_is_read(text: str) -> None:
    assert json.dumps(sent_again(json.loads(text)), ensure_ascii=False) == text


@pytest.mark.parametrize("value", [None, 5, "text", [], {}, {"id": 1, "name": 2}, [{"a": 1, "b": [{"c": 1, "d": 2}]}]])
def test_nothing_is_kept_of_what_postgresql_keeps_itself(value: Any) -> None:
    assert order_of(value) is None


def test_rows_of_one_form_are_kept_once() -> None:
    assert order_of([{"name": number, "id": number} for number in range(1_000)]) == [("name", "id")]


def test_an_order_that_no_longer_fits_loses_nothing() -> None:
    order = order_of([{"b": 1, "a": 2}, {"a": 1, "b": 2}])
    assert restore({"a": 1, "c": [{"a": 1, "b": 2}] * 3}, order) == {"a": 1, "c": [{"a": 1, "b": 2}] * 3}
    assert restore(None, order) is None
    assert restore(None, {"a": order}) is None


def test_members_have_orders_of_their_own() -> None:
    outputs = {"one": {"b": 1, "a": 2}, "two": {"a": 1, "b": 2}, "three": 3}
    orders = orders_of(outputs)

    assert orders == {"one": [("b", "a")]}
    assert json.dumps(restore(stored(outputs), {"one": [["b", "a"]]})["one"]) == '{"b": 1, "a": 2}'
    assert orders_of({"two": outputs["two"]}) is None


def test_headers_are_put_where_they_will_be() -> None:
    assert list(in_stored_order({"x-b": "1", "host": "2", "x-a": "3"})) == ["x-a", "x-b", "host"]
