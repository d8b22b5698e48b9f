"""Expressions on `item`: what filters make of each member of a list, and what is known in there."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.errors import Problem
from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.expressions.resolving import ExpressionError, references_in, resolve
from flowforge.language.expressions.secret_values import masked
from flowforge.secrets import MASK

ROWS = [
    {"name": "pen", "price": 2, "count": 10, "tags": ["red", "blue"]},
    {"name": "cup", "price": 5, "count": 3, "tags": []},
    {"name": "ink", "price": 9, "count": 1, "tags": ["blue"]},
]
SCOPE: dict[str, Any] = {
    "trigger": {"rows": ROWS, "least": 4, "numbers": [3, 1, 2], "none": []},
    "item": {"name": "cup"},
}


def value_of(expression: str, scope: dict[str, Any] = SCOPE) -> Any:
    return resolve(f"{{{{ {expression} }}}}", scope, step="test")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("trigger.rows | map(item.price * item.count)", [20, 15, 9]),
        ("trigger.rows | map(item.price * item.count) | sum", 44),
        ("trigger.rows | sum(item.price * item.count)", 44),
        ("trigger.rows | map(index ~ '. ' ~ item.name) | join(', ')", "0. pen, 1. cup, 2. ink"),
        ("trigger.rows | map({'n': item.name, 'first': item.tags[0] | default('-')})", [
            {"n": "pen", "first": "red"}, {"n": "cup", "first": "-"}, {"n": "ink", "first": "blue"},
        ]),
        ("trigger.rows | filter(item.price > trigger.least) | map('name')", ["cup", "ink"]),
        ("trigger.rows | where('tags') | map(item.name | upper)", ["PEN", "INK"]),
        ("trigger.rows | find(item.price > 4)", ROWS[1]),
        ("trigger.rows | find(item.price > 99)", None),
        ("trigger.rows | any('red' in item.tags)", True),
        ("trigger.rows | all('blue' in item.tags)", False),
        ("trigger.none | all(item.x)", True),
        ("trigger.none | any(item.x)", False),
        ("[0, 1] | any", True),
        ("[0, 1] | all", False),
        ("trigger.numbers | sort(-item)", [3, 2, 1]),
        ("trigger.rows | sort(attribute=item.price * item.count) | map('name')", ["ink", "cup", "pen"]),
        ("trigger.rows | min(item.price * item.count)", ROWS[2]),
        ("trigger.rows | max(-item.price)", ROWS[0]),
        ("trigger.rows | average(item.count) | round(2)", 4.67),
        ("trigger.rows | group_by(item.price > 4) | keys", ["false", "true"]),
        ("trigger.rows | index_by(item.name | upper) | keys", ["PEN", "CUP", "INK"]),
        ("trigger.rows | unique(item.tags | length > 0) | length", 2),
        ("trigger.rows | dedupe('price') | length", 3),
        # One expression on `item` inside another, and inside a FOR_EACH.
        ("trigger.rows | map(item.tags | map(outer.name ~ ' ' ~ item)) | flatten", ["pen red", "pen blue", "ink blue"]),
        ("trigger.rows | find(item.name == outer.name)", ROWS[1]),
        ("trigger.rows | map(item.tags | filter(item == 'blue') | length) | sum", 2),
    ],
)  # fmt: skip
def test_a_filter_computes_for_each_member(expression: str, expected: Any) -> None:
    assert value_of(expression) == expected


def test_a_name_of_a_field_means_what_it_meant() -> None:
    named = {"trigger": {"rows": ROWS, "field": "name"}}
    for use in ("map('name')", "map(attribute='name')", "map(trigger.field)", "map('na' ~ 'me')"):
        assert value_of(f"trigger.rows | {use}", named) == ["pen", "cup", "ink"]
    assert value_of("trigger.rows | sort('price', true) | map('price')", named) == [9, 5, 2]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("trigger.rows | map(item.prise)", "item has no 'prise'; did you mean 'price'?"),
        ("trigger.rows | filter(5)", "attribute of filter needs text, not a number"),
        ("trigger.rows | filter", "the filter is used as filter(condition)"),
        ("trigger.rows | sum(item.name)", "sum needs numbers, not text"),
        ("trigger.none | average(item.x)", "average: the list is empty"),
        ("trigger.rows | sort(item.price if index else item.name)", "of different kinds"),
        ("trigger.least | map(item.x)", "map needs a list, not a number"),
    ],
)
def test_what_cannot_be_computed_is_told(expression: str, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value_of(expression)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("expression", "used"),
    [
        ("trigger.rows | map(item.price * steps.rate.value)", [("trigger", "rows"), ("steps", "rate", "value")]),
        ("steps.a.rows | filter(item.id == outer.id)", [("steps", "a", "rows"), ("item", "id")]),
        ("steps.a.rows | map(item.of | filter(item.id == outer.id))", [("steps", "a", "rows")]),
        ("steps.a.rows | map(item.of | filter(outer.id == trigger.id))", [("steps", "a", "rows"), ("trigger", "id")]),
        ("item.rows | map(item.price)", [("item", "rows")]),
        ("trigger.rows | map(attribute=item.price) | sum", [("trigger", "rows")]),
    ],
)
def test_only_data_outside_of_it_is_a_reference(expression: str, used: list[tuple[str, ...]]) -> None:
    assert [(each.root, *each.keys) for each in references_in(f"{{{{ {expression} }}}}")] == used


def _problems(expression: str) -> list[Problem]:
    config = {"output": {"x": f"{{{{ {expression} }}}}"}}
    return check(parse({"name": "w", "actions": [{"type": "TRANSFORM", "config": config}]}))


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("trigger.rows | map(item.price)", ""),
        ("trigger.rows | map(item.tags | map(item ~ outer.name))", ""),
        ("item.price", "'item' is not known here"),
        ("trigger.rows | join(item.price)", "'item' is not known here"),
        ("trigger.rows | map(item.price * outer.rate)", "'item' is not known here"),
        ("(trigger.rows | map(item.price)) ~ index", "known in an expression on the members of a list"),
        ("trigger.rows | map(item.price * rate)", "'rate' is not known"),
        ("trigger.rows | filter(item.price | nope)", "there is no filter 'nope'"),
        ("trigger.rows | map(steps.later.x ~ item)", "there is no earlier step 'later'"),
    ],
)
def test_item_is_known_only_inside_when_a_workflow_is_saved(expression: str, told: str) -> None:
    found = [problem.message for problem in _problems(expression)]
    assert (not found) if not told else told in found[0]


def test_what_depends_on_a_secret_is_one() -> None:
    scope = {"trigger": {"words": ["a", "s3cret"]}, "secrets": {"KEY": "s3cret"}}
    for expression in (
        "trigger.words | filter(item == secrets.KEY)",
        "trigger.words | any(item == secrets.KEY)",
        "trigger.words | map(item ~ secrets.KEY)",
        "[secrets.KEY] | map(item[0])",
    ):
        assert masked(value_of(expression, scope)) == MASK, expression


@pytest.mark.parametrize(
    "expression",
    [
        "trigger.many | map(item * 2)",
        "trigger.some | map(trigger.some | filter(item == outer)) | length",
        "trigger.some | map([" + "item, " * 40 + "item]) | length",
        "trigger.some | map(item | string | sha256 | upper | slugify) | length",
        "trigger.zones | map(now | iso('Europe/Berlin') ~ item)",
    ],
)
def test_all_of_it_is_paid_for_before_it_is_done(expression: str) -> None:
    numbers = {"many": list(range(100_000)), "some": list(range(3_000)), "zones": ["x" * 9_000] * 3_000}
    with pytest.raises(ExpressionError, match=r"too much work|too large"):
        value_of(expression, {"trigger": numbers, "now": "2026-03-04T00:00:00Z"})
