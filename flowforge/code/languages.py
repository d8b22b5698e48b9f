"""Runs and checks programs, in whichever language they are written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from flowforge.code import python
from flowforge.code.javascript import running as javascript
from flowforge.code.program import Limits, Program, WriteLog
from flowforge.code.slots import place_for

_TO_READ = 1.0
"""Seconds for which reading a program may take the processor."""
_LONGEST_READ = 10.0


class Language(Protocol):
    """A language that programs are written in. Both raise CodeFailed, and Unavailable where it was not installed."""

    def run(self, program: Program, limits: Limits, log: WriteLog) -> Any:
        """The result of a program."""

    def check(self, text: str, limits: Limits) -> None:
        """Reads a program without running it."""


LANGUAGES: Mapping[str, Language] = {"javascript": javascript, "python": python}


def run(program: Program, limits: Limits, user_id: UUID, log: WriteLog) -> Any:
    """The result of the program, as JSON has it. Raises CodeFailed, CodeBusy, Unavailable."""
    with place_for(user_id, limits.deadline):
        return LANGUAGES[program.language].run(program, limits, log)


def check(language: str, text: str, user_id: UUID) -> None:
    """Finds out whether a program could be run. Raises CodeFailed where it could not, CodeBusy, Unavailable."""
    limits = Limits(_TO_READ, time.monotonic() + _LONGEST_READ, most_output=0)
    with place_for(user_id, limits.deadline):
        LANGUAGES[language].check(text, limits)
