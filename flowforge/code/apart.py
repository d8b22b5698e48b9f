"""Runs work that may be hostile in a thread of its own, with a deep stack, low priority, and a limit on its time.

Time is that for which the thread computes, where the system tells: nothing is ended because the machine is busy.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")

STACK = 8 * 1024 * 1024
"""Bytes of address space."""
_NICENESS = 5
_SHORTEST_WAIT = 0.005
_starting = threading.Lock()


class OutOfTime(Exception):
    """The work was stopped: it computed for as long as it may, or its deadline came."""


def run_apart(work: Callable[[], Result], stop: Callable[[], None], seconds: float, deadline: float) -> Result:
    """The result of the work, or what it raises. `stop`: makes it end soon, if it is under way; called when it has
    computed for so many seconds, or at the deadline (of time.monotonic). OutOfTime is raised then."""
    clock: Future[Callable[[], float]] = Future()
    outcome: Future[Result] = Future()
    thread = _start(lambda: _settle(work, clock, outcome))
    computed = clock.result()
    while thread.is_alive():
        left = min(seconds - computed(), deadline - time.monotonic())
        if left <= 0:
            _stop(thread, stop)
            raise OutOfTime
        thread.join(max(left, _SHORTEST_WAIT))
    return outcome.result()


def _stop(thread: threading.Thread, stop: Callable[[], None]) -> None:
    """Stops it again and again: it may not have been under way at first."""
    while thread.is_alive():
        stop()
        thread.join(_SHORTEST_WAIT)


def _start(run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=run, name="code", daemon=True)
    with _starting:
        before = threading.stack_size(STACK)
        try:
            thread.start()
        finally:
            threading.stack_size(before)
    return thread


def _settle(work: Callable[[], Result], clock: Future[Callable[[], float]], outcome: Future[Result]) -> None:
    clock.set_result(_own_clock())
    _give_way()
    try:
        outcome.set_result(work())
    except BaseException as error:  # noqa: BLE001  (whoever waits gets it)
        outcome.set_exception(error)


def _give_way() -> None:
    """Lets everything else go first: Linux has a priority for each thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _own_clock() -> Callable[[], float]:
    """Tells anybody for how many seconds this thread has computed; else, how many have passed."""
    if sys.platform != "linux":
        begun = time.monotonic()
        return lambda: time.monotonic() - begun
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: _seconds_of(clock)


def _seconds_of(clock: int) -> float:
    with suppress(OSError):  # the thread has ended
        return time.clock_gettime(clock)
    return 0.0
