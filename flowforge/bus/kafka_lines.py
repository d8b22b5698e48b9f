"""The lines of Kafka's libraries in the log: the first of its kind in a minute, and how many more there were.

They report each attempt at a broker that is away or a topic that is missing, several times a second and client.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

ONCE_IN_SECONDS = 60.0
_KINDS = 500
"""Remembered at most."""
_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+")


class ThinnedOut(logging.Handler):
    """Passes lines on to the root logger's handlers. Two lines are of one kind if they differ in numbers only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._held_back: dict[str, int] = {}
        self._passed_at: dict[str, float] = {}
        self._lines = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        kind = f"{record.levelno} {record.name} {_NUMBERS.sub('#', record.getMessage())}"
        held_back = self._hold_back(kind)
        if held_back is None:
            return
        if held_back:
            record.msg = f"{record.getMessage()} ({held_back} more like this before)"
            record.args = ()
        logging.getLogger().handle(record)

    def _hold_back(self, kind: str) -> int | None:
        """Returns how many lines were held back before this one, or None where it is held back itself."""
        with self._lines:
            passed_at = self._passed_at.get(kind)
            if passed_at is not None and self._clock() - passed_at < ONCE_IN_SECONDS:
                self._held_back[kind] = self._held_back.get(kind, 0) + 1
                return None
            if len(self._passed_at) >= _KINDS:
                self._passed_at.clear()
                self._held_back.clear()
            self._passed_at[kind] = self._clock()
            return self._held_back.pop(kind, 0)


def thin_out_lines() -> None:
    """Lets every client of Kafka in this process speak through one such handler."""
    theirs = logging.getLogger("kafka")
    if not any(isinstance(handler, ThinnedOut) for handler in theirs.handlers):
        theirs.addHandler(ThinnedOut())
        theirs.propagate = False
