"""What waits for places, and goes next: the slow work of one holder does not hold up the others.

Places are of kinds, each a bounded number of its own. Holders (workflows, with their accounts) have fair shares of them
(flowforge.fair_shares), and are served in rotation; no workflow has more than its limit running, of all kinds together.
What waits is bounded by fair shares, too (`admit`).
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

from flowforge.fair_shares import Holders, Shares


class Wanting(Protocol):
    """What wants a place."""

    @property
    def holders(self) -> Holders: ...

    @property
    def kind(self) -> str:
        """The kind of place that it takes."""


W = TypeVar("W", bound=Wanting)


class Admission(Enum):
    """What becomes of something that is put into the queue."""

    BEGINS = auto()
    WAITS = auto()
    CROWDED = auto()
    """Its workflow or account has its share of those that wait."""


@dataclass(slots=True)
class _Places:
    """The places that are taken and those that are free."""

    of: Mapping[str, Shares]
    running: Counter[Hashable]
    """By workflow."""
    per_workflow: int

    def have_room(self, kind: str, holders: Holders) -> bool:
        return self.running[holders[0]] < self.per_workflow and self.of[kind].have_room(holders)

    def take(self, kind: str, holders: Holders) -> None:
        self.of[kind].take(holders)
        self.running[holders[0]] += 1

    def give_back(self, kind: str, holders: Holders) -> None:
        self.of[kind].give_back(holders)
        self.running[holders[0]] -= 1
        if not self.running[holders[0]]:
            del self.running[holders[0]]

    def copy(self) -> _Places:
        return _Places(
            {kind: shares.copy() for kind, shares in self.of.items()}, self.running.copy(), self.per_workflow
        )


class FairQueue(Generic[W]):
    """Has no thread and waits for nothing: whoever calls is told what begins, and runs it. Safe between threads.

    `places`: the number of each kind. `most_waiting`: what `admit` lets wait.
    """

    def __init__(self, places: Mapping[str, int], per_workflow: int, most_waiting: int) -> None:
        self._places = _Places({kind: Shares(number) for kind, number in places.items()}, Counter(), per_workflow)
        self._waiting = Shares(most_waiting)
        self._lines: dict[tuple[str, Holders], deque[W]] = {}
        """What waits, by place and holders; those whose turn was longest ago are the first."""
        self._closed = False
        self._lock = threading.Lock()

    def admit(self, wanting: Iterable[Wanting]) -> list[Admission]:
        """What becomes of each if they are put now, in this order, and those that are crowded are not."""
        with self._lock:
            places, waiting, lines = self._places.copy(), self._waiting.copy(), set(self._lines)
        return [_admission(one, places, waiting, lines) for one in wanting]

    def put(self, wanting: Sequence[W]) -> list[W]:
        """Takes what wants places, in this order; returns what begins now."""
        with self._lock:
            return [one for one in wanting if self._begins(one)]

    def give_back(self, ended: W) -> list[W]:
        """Takes back the place of what has begun and ended; returns what begins now."""
        with self._lock:
            self._places.give_back(ended.kind, ended.holders)
            return self._take()

    def close(self) -> list[W]:
        """Nothing more begins; returns what has not begun."""
        with self._lock:
            self._closed = True
            left = [one for line in self._lines.values() for one in line]
            self._lines.clear()
        return left

    @property
    def free(self) -> Mapping[str, int]:
        """How many places of each kind nobody has."""
        with self._lock:
            return {kind: shares.free for kind, shares in self._places.of.items()}

    def shares_of_waiting(self) -> Shares:
        """The places of those that wait: a copy."""
        with self._lock:
            return self._waiting.copy()

    def _begins(self, one: W) -> bool:
        """Whether it begins; it has taken its place, or waits for one."""
        line = one.kind, one.holders
        if not self._closed and line not in self._lines and self._places.have_room(*line):
            self._places.take(*line)
            return True
        self._lines.setdefault(line, deque()).append(one)
        self._waiting.take(one.holders)
        return False

    def _take(self) -> list[W]:
        """All that may begin: one of each line, and again, until nothing may."""
        taken: list[W] = []
        while round_ := [] if self._closed else self._take_round():
            taken += round_
        return taken

    def _take_round(self) -> list[W]:
        taken = []
        for (kind, holders), line in list(self._lines.items()):
            if self._places.have_room(kind, holders):
                self._places.take(kind, holders)
                self._waiting.give_back(holders)
                taken.append(line.popleft())
                del self._lines[kind, holders]
                if line:
                    self._lines[kind, holders] = line
        return taken


def _admission(one: Wanting, places: _Places, waiting: Shares, lines: set[tuple[str, Holders]]) -> Admission:
    """Of the next one, which from then on counts among those before the others."""
    line = one.kind, one.holders
    if line not in lines and places.have_room(*line):
        places.take(*line)
        return Admission.BEGINS
    if not waiting.take_if_room(one.holders):
        return Admission.CROWDED
    lines.add(line)
    return Admission.WAITS
