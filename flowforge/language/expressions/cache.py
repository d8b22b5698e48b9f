"""A cache of what is costly to make, bounded in memory."""

from __future__ import annotations

from typing import Generic, TypeVar

Made = TypeVar("Made")
_ENTRY_BYTES = 300


class BoundedCache(Generic[Made]):
    """Cache of what was made of texts. As long as all that is used weighs no more than `most`, nothing is evicted;
    beyond that, what was not used for longest is. Twice `most` is the most that is kept; more than a
    quarter of it in one entry is never kept.

    Safe between threads: at worst, something is evicted too early.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        # Two generations: when the younger one is full it becomes the older, and what that held unused is forgotten.
        self._younger: dict[str, tuple[Made, int]] = {}
        self._older: dict[str, tuple[Made, int]] = {}

    def get(self, text: str) -> Made | None:
        found = self._younger.get(text)
        if found is None:
            found = self._older.get(text)
            if found is None:
                return None
            self._keep(text, found)
        return found[0]

    def keep(self, text: str, made: Made, weight: int) -> None:
        """Keep what was made of the text; `weight` is about how many bytes it takes."""
        whole = _ENTRY_BYTES + len(text) + weight
        if whole <= self._most // 4:
            self._keep(text, (made, whole))

    def forget(self) -> None:
        """Empty the cache."""
        self._younger, self._older, self._weight = {}, {}, 0

    def _keep(self, text: str, entry: tuple[Made, int]) -> None:
        if self._weight + entry[1] > self._most:
            self._older, self._younger, self._weight = self._younger, {}, 0
        self._younger[text] = entry
        self._weight += entry[1]
