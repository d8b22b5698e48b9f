"""A program, run as a step runs it."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

from flowforge.code import languages
from flowforge.code.program import Limits, Program

ACCOUNT = UUID("01900000-0000-7000-8000-000000000001")


def run(
    text: str,
    data: Any = None,
    *,
    language: str = "javascript",
    seconds: float = 1.0,
    within: float = 120.0,
    most_output: int = 1024 * 1024,
    log: list[tuple[str, str]] | None = None,
    account: UUID = ACCOUNT,
) -> Any:
    """The result. Raises CodeFailed, CodeBusy."""
    lines = [] if log is None else log
    limits = Limits(seconds, time.monotonic() + within, most_output)
    program = Program(language, text, json.dumps(data if data is not None else {}).encode())
    return languages.run(program, limits, account, lambda level, line: lines.append((level, line)))
