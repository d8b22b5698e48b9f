"""How long a thread waits for a reader that does not take what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_SECONDS = 30.0
_SHORT_PATIENCE_SECONDS = 1.0


class SlowReaders:
    """Those of one server, which share its threads: while half of the threads wait for readers, there is little
    patience with any more of them."""

    def __init__(self, threads: int) -> None:
        self._many = max(1, threads // 2)
        self._waiting = 0
        self._counting = threading.Lock()

    @contextmanager
    def patience(self) -> Iterator[float]:
        """For the time in which a thread waits for a reader: the seconds in which that has to take something."""
        with self._counting:
            self._waiting += 1
            seconds = _PATIENCE_SECONDS if self._waiting <= self._many else _SHORT_PATIENCE_SECONDS
        try:
            yield seconds
        finally:
            with self._counting:
                self._waiting -= 1
