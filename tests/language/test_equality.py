"""Equality of text with numbers, true, false and times; and in lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flowforge.language.expressions.resolving import ExpressionError, resolve

LONG = 115792089237316195423570985008687907853269984665640564039457584007913129639935
MOMENT = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)


def value(expression: str, **scope: Any) -> Any:
    return resolve(f"{{{{ {expression} }}}}", scope, step="s")


@pytest.mark.parametrize("text", ["20", "20.0", "20.00", "2e1", "2.0E+1"])
def test_a_text_equals_the_number_that_it_is(text: str) -> None:
    assert value("text == 20 and 20 == text and text in [1, 20] and 20 in [text]", text=text)
    assert not value("text != 20 or text not in [20]", text=text)


@pytest.mark.parametrize("text", ["", " 20", "20 ", "020", "+20", "20,0", "0x14", "٢٠", "twenty", "20.5", "2_0", "nan"])
def test_and_no_other(text: str) -> None:
    assert value("text == 20", text=text) is False
    assert value("text in [20]", text=text) is False


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        (str(LONG), LONG, True),
        (str(LONG - 1), LONG, False),
        ("8202522731445525542", 8202522731445525543, False),
        ("0.1", 0.1, True),
        ("-0.0", 0, True),
        ("1e999", 5, False),
        ("9" * 100_000, 9, False),
        ("true", True, True),
        ("false", False, True),
        ("True", True, False),
        ("1", True, False),
        ("2026-03-04T05:06:07.089Z", MOMENT, True),
        ("2026-03-04", MOMENT, False),
        ("null", None, False),
        ("", None, False),
        ("[1]", [1], False),
        ("{}", {}, False),
    ],
)
def test_a_text_equals_what_is_written_like_it(text: str, other: Any, same: bool) -> None:
    assert value("text == other", text=text, other=other) is same
    assert value("other is eq(text)", text=text, other=other) is same
    assert value("rows | selectattr('n', '==', text) | length", rows=[{"n": other}], text=text) == int(same)


def test_members_are_compared_as_json_has_them() -> None:
    assert value("left == right", left=[20], right=["20"]) is False
    assert value("left == right", left={"n": 20}, right={"n": 20.0}) is True


@pytest.mark.parametrize("comparison", ["text < 20", "20 >= text"])
def test_more_and_less_want_numbers_and_say_so(comparison: str) -> None:
    with pytest.raises(ExpressionError, match=r"cannot compare .*; \| float makes a number of text"):
        value(comparison, text="20")


def test_long_lists_are_paid_for() -> None:
    with pytest.raises(ExpressionError, match="too much work"):
        value("text in rows", text="x", rows=[1] * 100_000)
