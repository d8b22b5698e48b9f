"""The arithmetic of a rate limit: at most `limit` executions begin within any `seconds`.

After a quiet time so many may begin at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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

    @classmethod
    def of(cls, rate: RateLimit, begun: Sequence[tuple[float, int]], now: float) -> RateWindow:
        """A window at that time: what began before it does not count any more."""
        return cls(rate.limit, rate.seconds, [(at, count) for at, count in begun if at > now - rate.seconds])

    def free(self) -> int:
        """Returns how many permits are free now."""
        return max(0, self.limit - sum(count for _, count in self.begun))

    def take(self, wanted: int, now: float) -> int:
        """Takes up to `wanted` permits at the time `now`; returns how many."""
        taken = min(wanted, self.free())
        if taken:
            self._note(taken, now)
        return taken

    def next_free(self, now: float) -> float:
        """Returns when one more permit is free: `now`, or later."""
        excess = -self.limit + sum(count for _, count in self.begun)
        for at, count in self.begun:
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
