"""Where coroutines do what blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class InThread(Protocol):
    """Does something that blocks, or computes for long, without holding up others; gives what it gives. `computes`: it
    waits for nothing, so that it need not share threads with what may hang."""

    def __call__(self, work: Callable[[], T], /, *, computes: bool = False) -> Awaitable[T]: ...


SMALL_BYTES = 64 * 1024
"""What is read, written or masked within about a millisecond."""


async def do_by_size(work: Callable[[], T], size: int, in_thread: InThread) -> T:
    """Does work on so many bytes: at once where they are few, else in a thread."""
    return work() if size <= SMALL_BYTES else await in_thread(work, computes=True)


async def do_here(work: Callable[[], T], /, *, computes: bool = False) -> T:
    """InThread, where waiting holds up nobody else."""
    return work()
