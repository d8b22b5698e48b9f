"""COMPARE_LISTS: what one of two lists has alone, what both have, and in which fields it differs."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import StepContext
from tests.connectors.running import failing, run

COMPARE = load_catalog().get("COMPARE_LISTS")
SHOP = [{"id": 1, "price": 5, "at": "a"}, {"id": 2, "price": 7, "at": "b"}, {"id": 3, "price": 9, "at": "c"}]
SHEET = [{"id": "2", "price": 8, "at": "x"}, {"id": "1", "price": "5", "at": "y"}, {"id": 4, "price": 1, "at": "z"}]


def compared(first: Any = SHOP, second: Any = SHEET, **config: Any) -> dict[str, Any]:
    assert COMPARE.computes is not None
    output: dict[str, Any] = COMPARE.computes(
        COMPARE.parse({"first": first, "second": second, "fields": ["id"], **config})
    )
    assert output.pop("counts") == {name: len(members) for name, members in output.items()}
    return output


def test_records_are_new_gone_changed_or_the_same() -> None:
    assert compared(ignore=["at"]) == {
        "onlyInFirst": [SHOP[2]],
        "onlyInSecond": [SHEET[2]],
        "same": [SHOP[0]],
        "different": [{"first": SHOP[1], "second": SHEET[0], "fields": ["price"]}],
    }
    assert [pair["fields"] for pair in compared()["different"]] == [["at"], ["price", "at"]]


def test_fields_may_have_other_names_and_stand_deeper() -> None:
    first, second = [{"to": {"mail": "a@x.test"}, "n": 1}], [{"Mail": "a@x.test", "n": 1}]
    found = compared(first, second, fields=["to.mail"], secondFields=["Mail"], ignore=["to"])
    assert found["same"] == first


def test_several_fields_make_a_key() -> None:
    first = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    found = compared(first, first[1:], fields=["a", "b"])
    assert (found["onlyInFirst"], found["same"]) == (first[:1], first[1:])


def test_what_is_missing_is_null_and_no_key() -> None:
    assert compared([{"id": 1, "x": None}], [{"id": 1}])["same"] == [{"id": 1, "x": None}]
    found = compared([{"x": 1}], [{"x": 1}])
    assert (found["onlyInFirst"], found["onlyInSecond"]) == ([{"x": 1}], [{"x": 1}])


def test_empty_lists_have_nothing_in_common() -> None:
    assert compared([], SHEET)["onlyInSecond"] == SHEET
    assert compared(SHOP, [])["onlyInFirst"] == SHOP


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"fields": []}, "fields"),
        ({"fields": ["a["]}, "fields.0"),
        ({"first": [1]}, "needs objects; there is a number"),
        ({"first": "x"}, "first"),
        ({"first": [{"id": 1}] * 3_000, "second": [{"id": 1}] * 3_000}, "too"),
    ],
)
def test_what_cannot_be_compared_is_told(context: StepContext, config: dict[str, Any], text: str) -> None:
    error = failing(run, "COMPARE_LISTS", {"first": [], "second": [], "fields": ["id"], **config}, context)
    assert (text in str(error), error.permanent) == (True, True)
