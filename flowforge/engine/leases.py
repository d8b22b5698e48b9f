"""Leases: how long an executor owns what it has claimed, and how it knows that it still does."""

from __future__ import annotations

import time
from dataclasses import dataclass

_ELAPSES_ASLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux stops CLOCK_MONOTONIC while the machine is suspended; macOS, which has no CLOCK_BOOTTIME, does not."""


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Seconds. After `runs` an executor begins nothing under a lease that it has not extended. Another gets the attempt
    only after a further `notice`, counted from when upkeep sees that the lease has run out: whoever has merely slept,
    with upkeep or without it, has extended its leases by then."""

    runs: float
    heartbeat: float
    notice: float

    @classmethod
    def within(cls, seconds: float) -> LeaseTerms:
        """Terms by which an attempt of a dead executor is given away after that time."""
        return cls(runs=seconds * 2 / 3, heartbeat=seconds / 4, notice=seconds / 3)


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment, to measure from. The time that a process or its machine has slept counts: a paused virtual machine
    shows it in the time of day only."""

    elapsing: float
    time_of_day: float

    @classmethod
    def now(cls) -> Instant:
        return cls(time.clock_gettime(_ELAPSES_ASLEEP), time.time())

    def seconds_ago(self) -> float:
        """Seconds since then, by the clock that says more."""
        now = Instant.now()
        return max(now.elapsing - self.elapsing, now.time_of_day - self.time_of_day)
