"""Places that accounts share, and within them workflows: no holder may take another while it has as many as are free.

So the more is taken, the less any holder may add: of 32 places a first workflow that never lets go holds 16, a second
one 8, a third 4, and a newcomer still finds a free place. Places that are given back let the shares rise again, and
nobody has to know how many holders there are.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class FairShares:
    """A number of places, shared fairly. Safe between threads.

    Holders are named from the narrowest to the widest, such as a workflow and its account: the first may have as many
    places as are free, the second, around it, twice as many.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._held: Counter[Hashable] = Counter()
        self._changed = threading.Condition()

    def take(self, *holders: Hashable, patience: float = 0.0) -> bool:
        """Whether they have got a place, for which they wait so many seconds at most."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._may_take(holders), patience):
                return False
            self._free -= 1
            self._held.update(holders)
            return True

    def give_back(self, *holders: Hashable) -> None:
        """Give back a place that was taken by the same holders."""
        with self._changed:
            self._free += 1
            for holder in holders:
                self._held[holder] -= 1
                if not self._held[holder]:
                    del self._held[holder]
            self._changed.notify_all()

    @contextmanager
    def place(self, *holders: Hashable) -> Iterator[bool]:
        """Hold a place within the block, where there is one at once; the value tells."""
        taken = self.take(*holders)
        try:
            yield taken
        finally:
            if taken:
                self.give_back(*holders)

    def _may_take(self, holders: tuple[Hashable, ...]) -> bool:
        return all(self._held[holder] < times * self._free for times, holder in enumerate(holders, 1))
