"""Group commit: what threads bring while another is storing is stored together, in the transaction after it.

Nobody waits for company: what comes while nothing is being stored is stored at once, alone.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

MOST = 64
"""Items that are stored together."""
PATIENCE_SECONDS = 1.0
"""After that time an item does not wait for others any longer."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Stores the items of many threads. `commit` stores several and returns the result of each, in their order, once
    they are committed; `announce` is given the same items and results afterwards, and nobody but one thread waits for
    it.

    No item fails because of another: where several cannot be stored together, each is stored alone, by the thread that
    brought it.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Sequence[Result]],
        announce: Callable[[Sequence[Item], Sequence[Result]], None],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._commit = commit
        self._announce = announce
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: deque[_Place[Item, Result]] = deque()
        self.is_storing = False
        """Whether a thread is at it, or is about to."""

    @property
    def waiting(self) -> int:
        """Items that no thread has come to yet."""
        return len(self._waiting)

    def store(self, item: Item) -> Result:
        """The item's result, once it is committed. Raises what `commit` raises for this item."""
        place: _Place[Item, Result] = _Place(item)
        stored = self._lead() if self._leads(place) else []
        if not place.results:
            stored = self._store([place])
        if stored:
            self._announce([each.item for each in stored], [each.results[0] for each in stored])
        return place.results[0]

    def store_alone(self, item: Item) -> Result:
        """As `store`, for an item so large that others should not wait for it."""
        place: _Place[Item, Result] = _Place(item)
        self._store([place])
        self._announce([item], place.results)
        return place.results[0]

    def _leads(self, place: _Place[Item, Result]) -> bool:
        """Whether it is up to this thread to store what waits. False: its item has been stored, or is to be alone."""
        with self._lock:
            self._waiting.append(place)
            if not self.is_storing:
                self.is_storing = place.leads = True
        if not place.leads and not place.turn.acquire(timeout=self._patience) and not self._leaves(place):
            place.turn.acquire()
        return place.leads

    def _leaves(self, place: _Place[Item, Result]) -> bool:
        """Takes a place back that nobody has come to."""
        with self._lock:
            if place.leads or place not in self._waiting:
                return False
            self._waiting.remove(place)
            return True

    def _lead(self) -> list[_Place[Item, Result]]:
        """Stores what waits, and returns it; nothing where that failed."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        try:
            return self._store(batch)
        except Exception as error:
            if len(batch) == 1:
                raise
            logger.warning("%d items cannot be stored together: %s", len(batch), type(error).__name__)
            return []
        finally:
            self._pass_on()
            for place in batch[1:]:
                place.turn.release()

    def _store(self, batch: list[_Place[Item, Result]]) -> list[_Place[Item, Result]]:
        for place, result in zip(batch, self._commit([each.item for each in batch]), strict=True):
            place.results.append(result)
        return batch

    def _pass_on(self) -> None:
        """Lets the thread that has waited longest store what has come meanwhile."""
        with self._lock:
            self.is_storing = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].turn.release()


class _Place(Generic[Item, Result]):
    """An item on its way: `results` holds one as soon as it is stored."""

    __slots__ = ("item", "leads", "results", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.results: list[Result] = []
        self.leads = False
        self.turn = threading.Lock()
        """Free as soon as the thread need not wait any longer."""
        self.turn.acquire()
