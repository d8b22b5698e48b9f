"""The arithmetic of a rate limit: at most `limit` executions begin within any `seconds`.

After a quiet time so many may begin at once. An execution whose first step starts late, since executors were away or
busy, counts from then on: otherwise all that had gathered would call together, and the next ones with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from flowforge.language.definition import RateLimit

_PARTS = 200
"""Beginnings in the same part of the time are remembered as one, at its end. So what is remembered does not grow with
the limit, and a permit comes back late by no more than this fraction of the time, never early."""
_SHORTEST_PART = 0.000_001


@dataclass(slots=True)
class RateWindow:
    """The permits that a workflow's rate limit gives, by what has begun. Times are seconds of one clock."""

    limit: int
    seconds: float
    begun: list[tuple[float, int]]
    """(when, how many), in order of time."""
    late: list[tuple[float, int]] = field(default_factory=list)
    """(when, 1) of executions that began before, and whose first step started in the window; or has yet to, and is
    taken to start now."""

    @classmethod
    def of(
        cls,
        rate: RateLimit,
        begun: Sequence[tuple[float, int]],
        now: float,
        late: Sequence[tuple[float, float | None]] = (),
    ) -> RateWindow:
        """A window at that time: what began before it does not count any more. `late`: (when the execution began, when
        its first step started) of those that started late, or have yet to."""
        since = now - rate.seconds
        started = [now if at is None else at for began, at in late if began <= since]
        return cls(
            rate.limit,
            rate.seconds,
            [(at, count) for at, count in begun if at > since],
            [(at, 1) for at in started if at > since],
        )

    def free(self) -> int:
        """Returns how many permits are free now."""
        return max(0, self.limit - self._counted)

    @property
    def _counted(self) -> int:
        return sum(count for _, count in self.begun) + len(self.late)

    def take(self, wanted: int, now: float) -> int:
        """Takes up to `wanted` permits at the time `now`; returns how many."""
        taken = min(wanted, self.free())
        if taken:
            self._note(taken, now)
        return taken

    def next_free(self, now: float) -> float:
        """Returns when one more permit is free: `now`, or later."""
        excess = -self.limit + self._counted
        for at, count in sorted([*self.begun, *self.late]):
            if excess < 0:
                break
            excess -= count
            now = max(now, at + self.seconds)
        return now

    def _note(self, count: int, now: float) -> None:
        at = self._end_of_part(now)
        if self.begun and self.begun[-1][0] >= at:
            at, before = self.begun.pop()
            count += before
        self.begun.append((at, count))

    def _end_of_part(self, now: float) -> float:
        part = max(self.seconds / _PARTS, _SHORTEST_PART)
        return max(now, math.ceil(now / part) * part)
