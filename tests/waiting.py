"""Waiting for what other processes do: by asking again until a deadline, never by sleeping a guessed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, seconds: float = 60, every: float = 0.02) -> T:
    """The first truthy answer of `probe`; AssertionError with the last answer or error after `seconds`.

    They are there to end a hang, and plenty also where the machine is busy; a test is no slower for them.
    """
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = probe()
            if answer:
                return answer
            last = answer
        except (AssertionError, OSError, LookupError) as error:
            last = error
        time.sleep(every)
    raise AssertionError(f"still not so after {seconds} s: {last!r}")
