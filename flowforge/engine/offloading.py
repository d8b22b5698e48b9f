"""What coroutines of steps must not do on the event loop, done in threads: those that hang keep nobody from computing.

What computes ends soon, and shares the processor: few threads do it. What signs a request may ask a server for tokens,
and hang as long as a step may last. What asks our own servers and files has other threads than that, since an answered
call needs them at its end. There are many threads for either, and no account has more than a few of them, so that it
takes dozens of accounts whose servers hang to make another one wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flowforge.engine.threads import FairThreads
from flowforge.fair_shares import Holders

T = TypeVar("T")

COMPUTING_THREADS = 4
ASKING_THREADS = 128
"""Started as they are needed."""
ASKING_AT_ONCE = (2, 4)
"""For a workflow, and for its account."""


class Offloading:
    """Threads for what blocks, or computes for long. Belongs to the loop on which it is used."""

    def __init__(self) -> None:
        self._computing = FairThreads(COMPUTING_THREADS, "computing")
        self._signing = FairThreads(ASKING_THREADS, "signing", ASKING_AT_ONCE)
        self._asking = FairThreads(ASKING_THREADS, "asking", ASKING_AT_ONCE)

    async def run(self, holders: Holders, work: Callable[[], T], *, computes: bool = False, signs: bool = False) -> T:
        """See InThread. `holders`: for whom it is done."""
        threads = self._computing if computes else self._signing if signs else self._asking
        return await threads.run(holders, work)
