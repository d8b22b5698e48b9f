"""Conditions as rows: what is read from an expression is written again as that expression."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.language.evaluation.meter import Failure
from flowforge.language.expressions.syntax import parse
from flowforge.language.expressions.template import TemplateFailure, template
from webapp.ui.conditions import (
    OPERATORS,
    UNARY,
    Group,
    Row,
    condition_from_form,
    in_words,
    read_condition,
    write_condition,
)
from webapp.ui.conditions.operands import literal_of, text_of

PATHS = st.sampled_from(
    [
        "trigger.body.total",
        "steps.fetch.items[0].id",
        "trigger.headers['content-type']",
        "item",
        "a.b | lower",
        "(a + 1)",
    ]
)
TEXTS = st.one_of(
    st.text(min_size=1, max_size=12),
    st.sampled_from(
        ["100", "-1.50", "true", '"5"', '""', "{{ a.b }}", "a, b", "{{", "}}", "it's", '"', "\\", "Hi {{ a }}!"]
    ),
)  # fmt: skip


def row_of(left: str, operator: str, right: str) -> Row:
    return Row(left, operator, "" if operator in UNARY else right)


ROWS = st.builds(row_of, PATHS, st.sampled_from(list(OPERATORS)), TEXTS)
GROUPS = st.builds(
    Group,
    st.sampled_from(["all", "any"]),
    st.lists(
        st.one_of(
            ROWS,
            st.builds(Group, st.sampled_from(["all", "any"]), st.lists(ROWS, min_size=2, max_size=3).map(tuple)),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)


def same(one: str, other: str) -> bool:
    return parse(one.strip("{} ")).tree == parse(other.strip("{} ")).tree


@given(GROUPS)
def test_written_rows_are_read_as_rows_that_write_the_same_expression(group: Group) -> None:
    text = write_condition(group)
    read = read_condition(text)
    if read is not None:
        written = write_condition(read)
        assert written == text or same(written, text)
        assert read_condition(written) == read


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("{{ trigger.body.total > 100 }}", [Row("trigger.body.total", ">", "100")]),
        ("{{ a == 'x' }}", [Row("a", "==", "x")]),
        ('{{ a != "5" }}', [Row("a", "!=", '"5"')]),
        ('{{ a == "" }}', [Row("a", "==", '""')]),
        ("{{ a == steps.b.c }}", [Row("a", "==", "{{ steps.b.c }}")]),
        ("{{ a == none }}", [Row("a", "==", "{{ none }}")]),
        ("{{ 'new' in a.tags }}", [Row("a.tags", "contains", "new")]),
        ("{{ 'new' not in a.tags }}", [Row("a.tags", "lacks", "new")]),
        ("{{ a.state in ['new', 'open', 3] }}", [Row("a.state", "in", "new, open, 3")]),
        ("{{ a | default(none) }}", [Row("a", "filled")]),
        ("{{ not a | default(none) }}", [Row("a", "empty")]),
        ("{{ a is defined }}", [Row("a", "exists")]),
        ("{{ a is not defined }}", [Row("a", "absent")]),
        ("{{ a == true }}", [Row("a", "true")]),
        ("{{ a == false }}", [Row("a", "false")]),
        ("{{ a }}", [Row("a", "truthy")]),
        ("{{ not a }}", [Row("a", "falsy")]),
        ("{{ a | regex_test('^x') }}", [Row("a", "matches", "^x")]),
        ("{{ a.items | length >= 3 }}", [Row("a.items | length", ">=", "3")]),
        ("{{ a > 1 and b < 2 }}", [Row("a", ">", "1"), Row("b", "<", "2")]),
        ("", []),
    ],
)  # fmt: skip
def test_what_people_write_is_read_as_rows(text: str, rows: list[Row]) -> None:
    group = read_condition(text)
    assert group == Group("all", tuple(rows))
    assert not text or same(write_condition(group), text)


def test_groups_of_rows_stand_inside_groups() -> None:
    a, b, c = Row("a", ">", "1"), Row("b", "truthy"), Row("c", "exists")
    assert read_condition("{{ (a > 1 or b) and c is defined }}") == Group("all", (Group("any", (a, b)), c))
    assert read_condition("{{ a > 1 or b and c is defined }}") == Group("any", (a, Group("all", (b, c))))
    assert write_condition(Group("any", (a, Group("all", (b, c))))) == "{{ a > 1 or (b and c is defined) }}"


@pytest.mark.parametrize(
    "text",
    [
        "{{ 1 < a < 5 }}",
        "{{ 'x' if a else 'y' }}",
        "{{ not a == 1 }}",
        "{{ a or (b and (c or d)) }}",
        "{{ a }} and {{ b }}",
        "text",
        "{{ a ] }}",
        "{{ a $ b }}",
    ],
)
def test_what_rows_cannot_say_stays_an_expression(text: str) -> None:
    assert read_condition(text) is None


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("left", ["", "a.b"])
def test_a_row_that_is_not_filled_in_stays_and_is_reported(operator: str, left: str) -> None:
    """It never becomes a comparison with an empty text."""
    row = Row(left, operator)
    text = write_condition(Group("all", (Row("c", ">", "1"), row)))
    assert '""' not in text
    if left and operator in UNARY:
        assert template(text)
    else:
        with pytest.raises(TemplateFailure):
            template(text)
    read = read_condition(text)
    assert read is not None
    assert read.members[1] == (row if left else Row())


def test_a_condition_that_is_written_into_its_first_field_is_taken_as_a_whole() -> None:
    assert write_condition(Group("all", (Row("trigger.body.vip == true"),))) == "{{ trigger.body.vip == true }}"
    two = Group("all", (Row("{{ a or b }}"), Row("c", ">", "1")))
    assert write_condition(two) == "{{ (a or b) and c > 1 }}"


@given(st.text(max_size=20))
def test_a_text_is_shown_by_a_text_that_stands_for_the_same(text: str) -> None:
    operand = literal_of(text)
    assert literal_of(text_of(operand)) == operand


@given(st.text(alphabet="ab.()[]'\" !=<>|,notandrise1{}", max_size=30))
def test_reading_never_fails_and_never_changes_what_is_meant(source: str) -> None:
    text = f"{{{{ {source} }}}}"
    group = read_condition(text)
    if group is None or not group.members:
        return
    written = write_condition(group)[2:-2].strip()
    try:
        assert written == source.strip() or parse(written).tree == parse(source).tree
    except Failure:
        pytest.fail(f"{source!r} became {written!r}")


def test_cards_show_them_in_words() -> None:
    assert in_words("{{ a > 1 and ('x' in b or c) }}") == "a is greater than 1 and (b contains x or c)"
    assert in_words("{{ a == }}") == "a is …"
    assert in_words("") == ""


@pytest.mark.parametrize(
    "source", ["not " * 450 + "a", "(" * 900 + "a", "a and " * 300 + "a", "[" * 1_500, "a == 1 or " * 100_000]
)
def test_what_is_long_or_deep_is_read_or_stays_an_expression(source: str) -> None:
    read_condition(f"{{{{ {source} }}}}")


def test_groups_in_a_form_are_as_deep_as_it_draws_them() -> None:
    names = ["when" + ".0" * depth for depth in range(3_000)]
    form = {f"{name}.count": "1" for name in names} | {"when.0.0.left": "a", "when.0.0.operator": "exists"}
    assert condition_from_form(form, "when", "", "") == "{{ a is defined }}"
