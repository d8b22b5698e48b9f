"""What of the processes' output reaches the operator's terminal."""

from __future__ import annotations

import pytest

from flowforge.embedded.console import Console, ErrorRelay

_TRACEBACK = b"""\
2026-03-04 05:06:07,089 INFO executor: taking work
2026-03-04 05:06:07,090 ERROR executor: a step went wrong
Traceback (most recent call last):
  File "step.py", line 1, in run
    call()
ValueError: no such thing
2026-03-04 05:06:07,091 INFO executor: going on
"""


def test_errors_are_shown_with_their_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    relay = ErrorRelay("executor", Console())
    for start in range(0, len(_TRACEBACK), 7):  # output arrives in any pieces
        relay.feed(_TRACEBACK[start : start + 7])

    shown = capsys.readouterr().out.splitlines()
    assert [line.removeprefix("[executor] ") for line in shown] == _TRACEBACK.decode().splitlines()[1:-1]


def test_a_talkative_program_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    ErrorRelay("greeter", Console(), everything=True).feed(b"ready\nunfinished")
    assert capsys.readouterr().out == "ready\n"
