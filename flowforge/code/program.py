"""Programs of people, and what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MEMORY = 64 * 1024 * 1024
"""Bytes that a program may take."""
TOO_MUCH_MEMORY = f"it took more than {MEMORY // 1024**2} MB of memory"
TOO_DEEP = "it calls itself too deeply"
MOST_SECONDS = 30
"""The longest for which any program may compute."""

WriteLog = Callable[[str, str], None]
"""Takes the level (`log`, `warn`, `error` ...) and the text of a line that the program writes."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program in one of the languages, and the JSON that it is given."""

    language: str
    text: str
    input: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run."""

    seconds: float
    """Seconds for which it may compute."""
    deadline: float
    """The moment by which it has ended in any case, of time.monotonic."""
    most_output: int
    """Bytes of JSON that its result may have."""


class CodeFailed(Exception):
    """A program that cannot be read, fails, or exceeds a limit. The text, in one line, tells people why, and where."""


class CodeBusy(Exception):
    """Other programs take all the time there is."""


def too_long(limits: Limits) -> str:
    """Why a program was stopped that would not end."""
    if time.monotonic() >= limits.deadline:
        return "it did not end within the step's time limit"
    return f"it was stopped after {limits.seconds:g} s, which is its limit"
