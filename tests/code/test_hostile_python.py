"""Programs in Python that mean harm: each ends, with a reason, and leaves no process behind."""

from __future__ import annotations

import time

import psutil
import pytest

from flowforge.code import languages
from flowforge.code.program import CodeFailed, Limits, Program
from tests.code.running import ACCOUNT, run

TIME = "it was stopped after 0.2 s, which is its limit"
MEMORY = "it took more than 64 MB of memory"
DEEP = "it calls itself too deeply"

HOSTILE = [
    ("while True: pass", TIME),
    ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", TIME),
    ("for n in iter(int, 1): pass", None),
    ("sum(n for n in range(10 ** 12))", None),
    ("[n for n in range(10 ** 12)]", None),
    ("list(range(10 ** 9))", MEMORY),
    ("rows = []\nwhile True: rows.append('a' * 1000)", MEMORY),
    ("'a' * 10 ** 10", MEMORY),
    ("10 ** 10 ** 8", MEMORY),
    ("n = 3\nwhile True: n = n * n", None),
    ("'%1000000000d' % 1", None),
    ("f'{1:>1000000000}'", None),
    ("while True:\n    try:\n        'a' * 10 ** 10\n    except MemoryError: pass", None),
    ("def f(): return f()\nf()", DEEP),
    ("f = lambda g: g(g)\nf(f)", DEEP),
    ("rows = []\nfor n in range(10 ** 5): rows = [rows]\nreturn rows", "nested too deeply"),
    ("(" * 10 ** 5, "SyntaxError"),
    ("-" * 10 ** 5 + "1", None),
    ("import re\nre.match('(a+)+$', 'a' * 50 + '!')\nwhile True: pass", TIME),
    ("sorted([3, 2, 1], key=lambda n: [m for m in range(10 ** 12)])", None),
    ("async def f(): await f()\nawait f()", DEEP),
    ("while True: print('a' * 1000)", TIME),
    ("while True: filters.upper('a')", None),
    ("filters.upper('a' * 10 ** 7)", "too much work"),
    ("return 'x' * 100000", "its result has more than 65536 bytes, which is the limit"),
    ("return list(range(100000))", "its result has more than 65536 bytes, which is the limit"),
    ("import json\njson.loads('[' * 10 ** 6)", None),
    ("import os\nos.system('ls')", "line 2: "),
    ("__import__('os').listdir('/')", "line 1: "),
    ("().__class__.__bases__[0].__subclasses__()", "line 1: "),
    ("open('/proc/self/environ').read()", "line 1: PermissionError"),
    ("import socket", "line 1: ModuleNotFoundError"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), HOSTILE, ids=[text[:40] for text, _ in HOSTILE])
def test_it_ends_with_a_reason(text: str, reason: str | None) -> None:
    """Without a reason here, any one will do: which limit is met first is chance."""
    with pytest.raises(CodeFailed) as caught:
        run(text, language="python", seconds=0.2 if reason in (TIME, None) else 20, most_output=65536)
    assert str(caught.value)
    assert reason is None or reason in str(caught.value)


def test_what_begins_at_its_deadline_is_killed() -> None:
    with pytest.raises(CodeFailed, match="it did not end within the step's time limit"):
        run("while True: pass", language="python", within=0)


def test_they_leave_no_process_behind() -> None:
    for text in ("while True: pass", "rows = []\nwhile True: rows.append('a' * 1000)", "1"):
        try:
            run(text, language="python", seconds=0.1)
        except CodeFailed:
            continue
    assert [child.name() for child in psutil.Process().children(recursive=True) if "monty" in child.name()] == []


def test_its_process_has_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWFORGE_SECRET_KEYS", "hush-hush")
    seen: list[dict[str, str]] = []

    def look(_level: str, _text: str) -> None:
        seen.extend(child.environ() for child in psutil.Process().children() if "monty" in child.name())

    languages.run(Program("python", "print(1)", b"{}"), Limits(5, time.monotonic() + 60, 100), ACCOUNT, look)
    assert seen == [{}]
