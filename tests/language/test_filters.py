"""What each filter gives, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flowforge.language.expressions import ExpressionError, resolve
from flowforge.language.filters import FILTERS

SCOPE: dict[str, Any] = {
    "trigger": {
        "name": "ada LOVELACE",
        "padded": "  x ",
        "csv": "a,b,,c",
        "html": "<a href='x'>&\"",
        "people": [
            {"name": "Cy", "age": 30, "city": {"name": "Rome"}, "active": True},
            {"name": "Al", "age": 20, "city": {"name": "Oslo"}, "active": False},
            {"name": "Bo", "age": 30, "city": {"name": "Bern"}, "active": True},
        ],
        "numbers": [3, 1, 2, 1],
        "fields": {"a": 1, "b": 2},
        "json": '{"a":[1,null]}',
        "time": "2026-03-04T23:30:00+02:00",
    },
    "now": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
}


def value_of(expression: str) -> Any:
    return resolve(f"{{{{ {expression} }}}}", SCOPE, step="test")


CASES = [
    ("trigger.name | upper", "ADA LOVELACE"),
    ("trigger.name | lower", "ada lovelace"),
    ("trigger.name | capitalize", "Ada lovelace"),
    ("trigger.name | title", "Ada Lovelace"),
    ("trigger.padded | trim", "x"),
    ("trigger.csv | replace(',', '; ')", "a; b; ; c"),
    ("trigger.name | truncate(5)", "ada …"),
    ("trigger.name | truncate(5, end='')", "ada L"),
    ("trigger.name | truncate(50)", "ada LOVELACE"),
    ("trigger.csv | split(',')", ["a", "b", "", "c"]),
    ("trigger.padded | split", ["x"]),
    ("trigger.html | escape", "&lt;a href=&#x27;x&#x27;&gt;&amp;&quot;"),
    ("trigger.html | e | length", 39),
    ("'a b/ü' | urlencode", "a%20b%2F%C3%BC"),
    ("5 | string", "5"),
    ("trigger.fields | string", '{"a":1,"b":2}'),
    ("trigger.numbers | length", 4),
    ("trigger.fields | count", 2),
    ("trigger.numbers | first", 3),
    ("trigger.numbers | last", 1),
    ("trigger.numbers | join('-')", "3-1-2-1"),
    ("[1, none, 'x', [2]] | join(',')", "1,,x,[2]"),
    ("[] | join(',')", ""),
    ("trigger.numbers | sort", [1, 1, 2, 3]),
    ("trigger.numbers | sort(reverse=true)", [3, 2, 1, 1]),
    ("trigger.people | sort(attribute='city.name') | map('name')", ["Bo", "Al", "Cy"]),
    ("trigger.numbers | unique", [3, 1, 2]),
    ("[1, true, '1', 1.5, 1] | unique", [1, True, "1", 1.5]),
    ("trigger.people | unique('age') | map('name')", ["Cy", "Al"]),
    ("trigger.numbers | reverse", [1, 2, 1, 3]),
    ("trigger.people | map(attribute='city.name')", ["Rome", "Oslo", "Bern"]),
    ("trigger.people | selectattr('active') | map('name')", ["Cy", "Bo"]),
    ("trigger.people | rejectattr('active') | map('name')", ["Al"]),
    ("trigger.people | selectattr('age', 'gt', 25) | map('name')", ["Cy", "Bo"]),
    ("trigger.people | rejectattr('name', 'in', ['Al', 'Bo']) | map('name')", ["Cy"]),
    ("trigger.people | selectattr('phone', 'defined')", []),
    ("trigger.numbers | sum", 7),
    ("trigger.people | sum('age')", 80),
    ("trigger.numbers | min", 1),
    ("trigger.people | max('age')", SCOPE["trigger"]["people"][0]),
    ("trigger.fields | keys", ["a", "b"]),
    ("trigger.fields | values", [1, 2]),
    ("trigger.fields | items", [["a", 1], ["b", 2]]),
    ("trigger.json | fromjson", {"a": [1, None]}),
    ("trigger.fields | tojson", '{"a":1,"b":2}'),
    ("none | tojson", "null"),
    ("'12' | int", 12),
    ("'12.9' | int", 12),
    ("-1.5 | int", -1),
    ("9007199254740993 | int", 9007199254740993),
    ("'9007199254740993' | int", 9007199254740993),
    ("'x' | int(0)", 0),
    ("'x' | int(default=none)", None),
    ("'1e3' | float", 1000.0),
    ("none | float(0.5)", 0.5),
    ("2.4 | round", 2),
    ("3.14159 | round(2)", 3.14),
    ("-5 | abs", 5),
    ("now | date", "2026-03-04"),
    ("trigger.time | date('%d.%m.%Y %H:%M')", "04.03.2026 21:30"),
    ("1772600767 | date('%Y')", "2026"),
    ("trigger.missing.deep | default('none')", "none"),
    ("trigger.missing | d", ""),
    ("'' | default('empty')", ""),
    ("'' | default('empty', true)", "empty"),
]


@pytest.mark.parametrize(("expression", "expected"), CASES, ids=[expression for expression, _ in CASES])
def test_a_filter_gives(expression: str, expected: Any) -> None:
    assert value_of(expression) == expected
    assert type(value_of(expression)) is type(expected)


def test_every_filter_has_a_case() -> None:
    used = " ".join(expression.replace("(", " ").replace("'", " ") for expression, _ in CASES).split()
    assert set(FILTERS) <= set(used)


@pytest.mark.parametrize(
    "expression",
    [
        "5 | upper",
        "none | lower",
        "[] | first",
        "[] | last",
        "[] | max",
        "5 | length",
        "'abc' | join",
        "[1, 'a'] | sort",
        "[1, 'a'] | max",
        "['a'] | sum",
        "[true] | sum",
        "trigger.people | map('phone')",
        "trigger.people | map(5)",
        "trigger.people | selectattr('age', 'nope')",
        "trigger.people | selectattr('age', 'gt')",
        "trigger.people | selectattr('phone', 'gt', 1)",
        "'x' | int",
        "true | int",
        "'nan' | float",
        "'inf' | float",
        "99999999999999999999 | round",
        "'{' | fromjson",
        "'nope' | date",
        "now | date('%Q')",
        "now | date('%1000d')",
        "now | date('%')",
        "true | date",
        "'x' | replace('', 'y')",
        "'x' | split('')",
        "'x' | truncate('5')",
        "'x' | truncate(-1)",
        "1.5 | round(99)",
        "'x' | upper(1)",
        "'x' | upper(a=1)",
        "'x' | upper(*trigger.numbers)",
    ],
)
def test_a_filter_refuses(expression: str) -> None:
    with pytest.raises(ExpressionError):
        value_of(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("none is none", True),
        ("1 is not none", True),
        ("true is true", True),
        ("1 is true", False),
        ("false is false", True),
        ("true is boolean", True),
        ("'a' is string", True),
        ("1 is integer", True),
        ("1.5 is integer", False),
        ("1.5 is float", True),
        ("true is integer", False),
        ("trigger is mapping", True),
        ("trigger.numbers is sequence", True),
        ("'a' is sequence", False),
        ("4 is even", True),
        ("3 is odd", True),
        ("9 is divisibleby(3)", True),
        ("1 is eq 1", True),
        ("1 is ne 2", True),
        ("1 is lt 2", True),
        ("2 is ge 2", True),
        ("1 is in [1, 2]", True),
        ("trigger.numbers is defined", True),
        ("trigger.nope is defined", False),
    ],
)
def test_a_test_answers(expression: str, expected: bool) -> None:
    assert value_of(expression) is expected
