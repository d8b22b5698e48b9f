"""Places that are shared fairly: no holder may take another while it has as many as are free.

So the more is taken, the less any holder may add: of 32 places a first one that never lets go holds 16, a second one 8,
a third 4, and a newcomer still finds a free place. Places that are given back let the shares rise again, and nobody has
to know how many holders there are.

Where workflows share, their accounts do so first: an account may hold three times as many places as are free, and its
workflows share these by the same rule. Of 32 places an account holds 24 at most, its first workflow 12, and its others
find a place as well as those of another account.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil

Holders = tuple[Hashable, ...]
"""Those that one place is for, from the narrowest to the widest: an account, or a workflow and its account."""

_TIMES = (1, 3)
"""Places that a holder may have for each that stays free: one that is alone or the narrowest, and one around it."""


@dataclass(slots=True)
class Shares:
    """The places that are free, and how many each holder has.

    What takes an `amount` of them at once, such as bytes, has to find one: a holder may exceed its share by the last
    amount.
    """

    free: int
    held: Counter[Hashable] = field(default_factory=Counter)

    def have_room(self, holders: Holders) -> bool:
        """Whether these may take a place."""
        return self._room(holders) > 0

    def have_room_around(self, holders: Holders) -> bool:
        """Whether those around the narrowest of them may: where they may not, none of theirs may."""
        return self._room_around(holders) > 0

    def take_if_room(self, holders: Holders, amount: int = 1) -> bool:
        """Takes a place for these where they may; returns whether they have one."""
        has_room = self.have_room(holders)
        if has_room:
            self.take(holders, amount)
        return has_room

    def take(self, holders: Holders, amount: int = 1) -> None:
        self.free -= amount
        for holder in holders:
            self.held[holder] += amount

    def give_back(self, holders: Holders, amount: int = 1) -> None:
        """Give back what the same holders took."""
        self.free += amount
        for holder in holders:
            self.held[holder] -= amount
            if not self.held[holder]:
                del self.held[holder]

    def copy(self) -> Shares:
        return Shares(self.free, self.held.copy())

    def _room(self, holders: Holders) -> int:
        """Places that these may still take, one after the other, while nobody else does."""
        return self._room_of(holders[0], _TIMES[0], self._room_around(holders))

    def _room_around(self, holders: Holders) -> int:
        room = self.free
        for holder, times in reversed(list(zip(holders[1:], _TIMES[1:], strict=False))):
            room = self._room_of(holder, times, room)
        return room

    def _room_of(self, holder: Hashable, times: int, room: int) -> int:
        """Places that a holder may still take where there is room for so many."""
        return ceil((times * room - self.held[holder]) / (times + 1))


class FairShares:
    """A number of places, shared fairly. Safe between threads."""

    def __init__(self, places: int) -> None:
        self._shares = Shares(places)
        self._changed = threading.Condition()

    def take(self, *holders: Hashable, patience: float = 0.0) -> bool:
        """Whether they have got a place, for which they wait so many seconds at most."""
        with self._changed:
            return self._changed.wait_for(lambda: self._shares.take_if_room(holders), patience)

    def give_back(self, *holders: Hashable) -> None:
        """Give back a place that the same holders took."""
        with self._changed:
            self._shares.give_back(holders)
            self._changed.notify_all()

    @contextmanager
    def place(self, *holders: Hashable, patience: float = 0.0) -> Iterator[bool]:
        """Hold a place within the block, for which they wait so many seconds at most; the value tells whether they have
        got one."""
        taken = self.take(*holders, patience=patience)
        try:
            yield taken
        finally:
            if taken:
                self.give_back(*holders)
