"""Ids and times of log entries: in one process neither runs backwards, so entries keep their order."""

from __future__ import annotations

import itertools
import os
import threading
from datetime import UTC, datetime, timedelta

_MILLISECOND = timedelta(milliseconds=1)


class LogClock:
    """Gives (id, timestamp) pairs: ObjectId-shaped ids, timestamps in whole milliseconds. Safe between threads."""

    def __init__(self) -> None:
        self._process = os.urandom(5).hex()
        self._counter = itertools.count(int.from_bytes(os.urandom(2)))
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def next(self) -> tuple[str, datetime]:
        with self._lock:
            now = datetime.now(UTC)
            self._last = max(now.replace(microsecond=now.microsecond // 1000 * 1000), self._last)
            count = next(self._counter)
            if count % (1 << 24) == 0:  # the counter starts again, and so the order needs a later time
                self._last += _MILLISECOND
            return f"{int(self._last.timestamp()):08x}{self._process}{count % (1 << 24):06x}", self._last
