"""Programs in Python: what they are given, what comes of them, what is told of errors, and what ends them."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.code.languages import check
from flowforge.code.program import CodeFailed
from tests.code.running import ACCOUNT, run

ROWS = [{"name": "Ada", "price": 2, "count": 3}, {"name": "Bo", "price": 1.5, "count": 2}]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("return [row['price'] * row['count'] for row in input['rows']]", [6, 3]),
        ("rows = sorted(input['rows'], key=lambda row: row['price'])\nrows[0]['name']", "Bo"),
        ("def n(rows):\n    return sum(row['count'] for row in rows)\n\nreturn {'n': n(input['rows'])}", {"n": 5}),
        ("async def later():\n    return 1\n\nawait later()", 1),
        ("import json\nimport re\nreturn json.dumps(re.findall('[a-z]', 'a1b'))", '["a", "b"]'),
        ("import time\ntime.sleep(3600)\nreturn 'at once'", "at once"),
        ("filters.date('2026-07-01T12:00:00Z', '%d.%m.%Y %H:%M', 'Europe/Berlin')", "01.07.2026 14:00"),
        ("return filters.group_by(input['rows'], 'name')['Bo'][0]['count']", 2),
        ("pass", None),
        ("return (1, 2)", [1, 2]),
        ("return 2 ** 100", 2**100),
    ],
)  # fmt: skip
def test_a_program_returns_what_it_makes_of_its_input(text: str, result: Any) -> None:
    assert run(text, {"rows": ROWS}, language="python") == result


def test_what_it_prints_goes_to_the_log() -> None:
    log: list[tuple[str, str]] = []
    run("print('found', 1)\nprint('two\\nlines')", language="python", log=log)
    assert log == [("log", "found 1"), ("log", "two"), ("log", "lines")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows = input['rows']\nreturn rows[7]", "line 2: IndexError: list index out of range"),
        ("def price(row):\n    return row['cost']\n\nreturn [price(row) for row in input['rows']]",
         "line 2: KeyError: cost (in price, line 2; line 4"),
        ("raise ValueError('too few rows')", "line 1: ValueError: too few rows"),
        ("import requests", "line 1: ModuleNotFoundError: No module named 'requests'"),
        ("open('/etc/passwd').read()", "line 1: PermissionError: Permission denied"),
        ("import os\nos.getenv('HOME')", "line 2: RuntimeError: 'os.getenv' is not supported in this environment"),
        ("filters.date('never', '%Y')", "line 1: ValueError: filters.date: "),
        ("class Row: pass\nRow()", "its result cannot be written as JSON: "),
    ],
)  # fmt: skip
def test_an_error_tells_what_is_wrong_and_where(text: str, told: str) -> None:
    with pytest.raises(CodeFailed) as caught:
        run(text, {"rows": ROWS}, language="python")
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\nb = = 2", "line 2: SyntaxError: Expected an expression"),
        ("def f(:\n    pass", "line 1: SyntaxError: "),
        ("def f():\n    yield 1", "line 2: NotImplementedError: "),
    ],
)
def test_what_cannot_be_read_is_found_without_running_it(text: str, told: str) -> None:
    with pytest.raises(CodeFailed) as caught:
        check("python", text, ACCOUNT)
    assert str(caught.value).startswith(told)


def test_reading_a_program_runs_nothing_of_it() -> None:
    check("python", "while True: pass", ACCOUNT)
