"""A bound on the bytes of bodies that are read into objects and stored at the same time: 1 MB of JSON can be 25 MB of
objects, and there are many threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from flowforge.errors import Unavailable
from flowforge.sentences import sentence

_SMALL_BYTES = 64 * 1024
"""A body up to that size waits for no other."""


class BodyBudget:
    """Lets large bodies be handled as far as they have at most `most_bytes` together, or one alone. Safe to share
    between threads."""

    def __init__(self, most_bytes: int, patience: float) -> None:
        self._most_bytes = most_bytes
        self._patience = patience
        self._taken = 0
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def spend(self, size: int) -> Iterator[None]:
        """Waits until there is room for a body of that size, behind those that came before. Raises Unavailable where
        there is none in time."""
        if size <= _SMALL_BYTES:
            yield
            return
        self._take(size)
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()

    def _take(self, size: int) -> None:
        place = object()
        with self._changed:
            self._line.append(place)
            try:
                if not self._changed.wait_for(lambda: self._is_next(place, size), self._patience):
                    raise Unavailable(sentence("too many large requests are being handled; try again in a moment"))
                self._taken += size
            finally:
                self._line.remove(place)
                self._changed.notify_all()

    def _is_next(self, place: object, size: int) -> bool:
        return self._line[0] is place and (self._taken == 0 or self._taken + size <= self._most_bytes)


BODIES = BodyBudget(most_bytes=2 * 1024 * 1024, patience=30.0)
"""Of this process."""
