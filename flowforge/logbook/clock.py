"""Ids and times of log entries: in one process neither runs backwards, so entries keep their order."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

_MILLISECOND = timedelta(milliseconds=1)
_COUNTS = 1 << 24
"""The counter has three bytes."""


class LogClock:
    """Gives ObjectId-shaped ids, and timestamps in whole milliseconds. Safe between threads."""

    def __init__(self) -> None:
        self._process = os.urandom(5).hex()
        self._count = int.from_bytes(os.urandom(2))
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def stamp(self, count: int) -> tuple[list[str], datetime]:
        """Returns the ids of so many entries that are written together, and the time of all of them."""
        with self._lock:
            now = datetime.now(UTC)
            self._last = max(now.replace(microsecond=now.microsecond // 1000 * 1000), self._last)
            if self._count + count > _COUNTS:  # the counter starts again, and so the order needs a later time
                self._count = 0
                self._last += _MILLISECOND
            first, self._count = self._count, self._count + count
            begin = f"{int(self._last.timestamp()):08x}{self._process}"
            return [f"{begin}{number:06x}" for number in range(first, first + count)], self._last
