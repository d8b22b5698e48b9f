"""Where coroutines do what blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from flowforge import jsonio

T = TypeVar("T")


class InThread(Protocol):
    """Does something that blocks, or computes for long, without holding up others; gives what it gives. `computes`: it
    waits for nothing. `signs`: it signs a request, and may have to ask a server of somebody else's for a token. Neither
    shares threads with the rest: what signs may hang, and an answered call would wait for it at its end."""

    def __call__(self, work: Callable[[], T], /, *, computes: bool = False, signs: bool = False) -> Awaitable[T]: ...


SMALL_BYTES = 64 * 1024
"""What is read, written or masked within about a millisecond."""
_BYTES_OF_A_PART = 16
"""So a value is not small that has thousands of numbers: not even counting them is done within that time."""


def is_small(value: Any) -> bool:
    """Whether a value can be worked on at once, on an event loop."""
    return not jsonio.more_than(value, SMALL_BYTES, each=_BYTES_OF_A_PART)


async def compute(work: Callable[[], T], of: Any, in_thread: InThread) -> T:
    """Computes something of values: at once where they are small, else in a thread."""
    return work() if is_small(of) else await in_thread(work, computes=True)


async def do_here(work: Callable[[], T], /, *, computes: bool = False, signs: bool = False) -> T:
    """InThread, where waiting holds up nobody else."""
    return work()
