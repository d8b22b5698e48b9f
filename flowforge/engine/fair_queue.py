"""What waits for places, and goes next: the slow work of one holder does not hold up the others.

Places are of kinds, each a bounded number of its own. Holders (workflows, with their accounts) have fair shares of them
(flowforge.fair_shares), and limits of what they have running, of all kinds together. Accounts are served in rotation,
and their workflows in a rotation of their own. What waits is bounded by fair shares, too (`admit`).

What waits for places of one kind, and has the same holders, is a line. Whoever gives a place back does not go through
thousands that cannot begin: a line at a limit leaves the rotation until a place of that holder comes back, and accounts
that have their share are passed over as a whole.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
    """The places that are taken and those that are free. `limits`: the most that each holder may have running, from the
    narrowest; those further out have none."""

    of: Mapping[str, Shares]
    limits: Sequence[int]
    running: Counter[Hashable] = field(default_factory=Counter)

    def have_room(self, kind: str, holders: Holders) -> bool:
        return self.at_limit(holders) is None and self.of[kind].have_room(holders)

    def at_limit(self, holders: Holders) -> Hashable | None:
        """The first of them that has reached its limit."""
        limited = zip(holders, self.limits, strict=False)
        return next((holder for holder, limit in limited if self.running[holder] >= limit), None)

    def take(self, kind: str, holders: Holders) -> None:
        self.of[kind].take(holders)
        self.running.update(holders)

    def give_back(self, kind: str, holders: Holders) -> None:
        self.of[kind].give_back(holders)
        for holder in holders:
            self.running[holder] -= 1
            if not self.running[holder]:
                del self.running[holder]

    def copy(self) -> _Places:
        of = {kind: shares.copy() for kind, shares in self.of.items()}
        return _Places(of, self.limits, self.running.copy())


_Account = tuple[Hashable, ...]
"""The holders around the narrowest one."""


class _Turns:
    """The lines that wait for places of one kind; those whose turn was longest ago are the first."""

    def __init__(self) -> None:
        self._accounts: dict[_Account, dict[Holders, None]] = {}

    def add(self, holders: Holders) -> None:
        self._accounts.setdefault(holders[1:], {})[holders] = None

    def remove(self, holders: Holders) -> None:
        lines = self._accounts[holders[1:]]
        del lines[holders]
        if not lines:
            del self._accounts[holders[1:]]

    def had_its_turn(self, holders: Holders, *, goes_on: bool) -> None:
        """Puts the account last, and in it the line, if that goes on."""
        lines = self._accounts.pop(holders[1:])
        del lines[holders]
        if goes_on:
            lines[holders] = None
        if lines:
            self._accounts[holders[1:]] = lines

    def with_room(self, shares: Shares) -> Iterator[Holders]:
        """The lines of accounts that may take a place. Nothing may be changed while they are gone through."""
        for lines in self._accounts.values() if shares.free > 0 else ():
            if shares.have_room_around(next(iter(lines))):
                yield from lines


class FairQueue(Generic[W]):
    """Has no thread and waits for nothing: whoever calls is told what begins, and runs it. Safe between threads.

    `places`: the number of each kind. `limits`: the most that each holder may have running, from the narrowest; those
    further out have none. `most_waiting`: what `admit` lets wait.
    """

    def __init__(self, places: Mapping[str, int], limits: Sequence[int], most_waiting: int) -> None:
        self._places = _Places({kind: Shares(number) for kind, number in places.items()}, limits)
        self._waiting = Shares(most_waiting)
        self._lines: dict[tuple[str, Holders], deque[W]] = {}
        """What waits, by place and holders."""
        self._turns = {kind: _Turns() for kind in places}
        """The lines that may have room."""
        self._at_limit: defaultdict[Hashable, list[tuple[str, Holders]]] = defaultdict(list)
        """The lines that have none until a place of that holder comes back."""
        self._closed = False
        self._lock = threading.Lock()

    def admit(self, wanting: Iterable[Wanting]) -> list[Admission]:
        """What becomes of each if they are put now, in this order, and those that are crowded are not."""
        admission = self.admissions()
        return [admission(one) for one in wanting]

    def admissions(self) -> Callable[[Wanting], Admission]:
        """Tells the same of one after the other, as if all that it was asked about before were put."""
        with self._lock:
            places, waiting, lines = self._places.copy(), self._waiting.copy(), set(self._lines)
        return lambda one: _admission(one, places, waiting, lines)

    def follow_ups(self) -> Callable[[Wanting], Admission]:
        """Tells of one after the other what becomes of it if it is put `ahead` after what it follows has ended here.
        Crowded: it could not begin, and nothing else of its holders waits here, either."""
        with self._lock:
            places, lines = self._places.copy(), set(self._lines)
        waiting = {holders for _, holders in lines}
        return lambda one: _follow_up(one, places, lines, waiting)

    def put(self, wanting: Sequence[W], *, ahead: bool = False) -> list[W]:
        """Takes what wants places, in this order; returns what begins now. `ahead`: before the others of its line."""
        with self._lock:
            return [one for one in (reversed(wanting) if ahead else wanting) if self._begins(one, ahead=ahead)]

    def give_back(self, ended: W) -> list[W]:
        """Takes back the place of what has begun and ended; returns what begins now."""
        with self._lock:
            self._places.give_back(ended.kind, ended.holders)
            kinds = {ended.kind, *self._let_return(ended.holders)}
            return [one for kind in kinds for one in self._take_all(kind)]

    def close(self) -> None:
        """Nothing more begins."""
        with self._lock:
            self._closed = True

    def shares_of_waiting(self) -> Shares:
        """The places of those that wait: a copy."""
        with self._lock:
            return self._waiting.copy()

    def _begins(self, one: W, *, ahead: bool) -> bool:
        """Whether it begins; it has taken its place, or waits for one."""
        line = one.kind, one.holders
        if not self._closed and line not in self._lines and self._places.have_room(*line):
            self._places.take(*line)
            return True
        if line not in self._lines:
            self._lines[line] = deque()
            self._line_up(line)
        if ahead:
            self._lines[line].appendleft(one)
        else:
            self._lines[line].append(one)
        self._waiting.take(one.holders)
        return False

    def _line_up(self, line: tuple[str, Holders]) -> None:
        """Lets a line wait in the rotation; outside of it, where it is at a limit."""
        kind, holders = line
        full = self._places.at_limit(holders)
        if full is None:
            self._turns[kind].add(holders)
        else:
            self._at_limit[full].append(line)

    def _let_return(self, ended: Holders) -> set[str]:
        """Lets the lines back into the rotation that were left out for one of these holders; returns their kinds."""
        returning = [line for holder in ended for line in self._at_limit.pop(holder, ())]
        for line in returning:
            self._line_up(line)
        return {kind for kind, _ in returning}

    def _take_all(self, kind: str) -> list[W]:
        """All that may begin, one after the other."""
        taken = []
        while not self._closed and (holders := self._next(kind)) is not None:
            taken.append(self._take(kind, holders))
        return taken

    def _next(self, kind: str) -> Holders | None:
        """The line whose turn it is. Those before it that are at a limit leave the rotation."""
        shares, turns = self._places.of[kind], self._turns[kind]
        full, found = [], None
        for holders in turns.with_room(shares):
            if self._places.at_limit(holders) is not None:
                full.append(holders)
            elif shares.have_room(holders):
                found = holders
                break
        for holders in full:
            turns.remove(holders)
            self._line_up((kind, holders))
        return found

    def _take(self, kind: str, holders: Holders) -> W:
        line = self._lines[kind, holders]
        self._places.take(kind, holders)
        self._waiting.give_back(holders)
        taken = line.popleft()
        self._turns[kind].had_its_turn(holders, goes_on=bool(line))
        if not line:
            del self._lines[kind, holders]
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


def _follow_up(
    one: Wanting, places: _Places, lines: Collection[tuple[str, Holders]], waiting: Collection[Holders]
) -> Admission:
    line = one.kind, one.holders
    if line not in lines and places.have_room(*line):
        places.take(*line)
        return Admission.BEGINS
    return Admission.WAITS if one.holders in waiting else Admission.CROWDED
