"""A circuit breaker: a server that has not answered is let be for a moment, in which nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flowforge.bus.port import CircuitOpen

PAUSE_SECONDS = 0.5
"""The pause between a failure and the next caller who tries."""

logger = logging.getLogger(__name__)


class Breaker:
    """Safe to share between threads. `failures` are the errors that say that the server does not answer."""

    def __init__(
        self,
        name: str,
        failures: tuple[type[Exception], ...],
        pause: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._failures = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._is_open = False
        self._next_try = 0.0

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Lets the block ask the server. Raises CircuitOpen at once during the pause: after it one caller tries, and
        the others are refused until that one has an answer."""
        self._admit()
        try:
            yield
        except self._failures:
            self._open()
            raise
        if self._is_open:
            self._close()

    def _admit(self) -> None:
        if not self._is_open:
            return
        with self._lock:
            if self._clock() < self._next_try:
                raise CircuitOpen(f"{self._name} does not answer, and is asked again in a moment")
            self._next_try = self._clock() + self._pause

    def _open(self) -> None:
        with self._lock:
            if not self._is_open:
                logger.warning("%s does not answer; nobody waits for it until it does", self._name)
            self._is_open, self._next_try = True, self._clock() + self._pause

    def _close(self) -> None:
        with self._lock:
            self._is_open = False
        logger.warning("%s answers again", self._name)
