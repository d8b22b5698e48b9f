"""Programs of people, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MEMORY = 64 * 1024 * 1024
"""Bytes that a program may take."""
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
