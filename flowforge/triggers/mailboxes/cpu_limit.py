"""A limit on the CPU time of work on what strangers have sent."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TookTooLong(BaseException):
    """The work was stopped. No `except Exception` inside it can keep it from ending."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raises TookTooLong in what stands inside once it has used so much of the CPU.

    Python code is stopped anywhere, code in C at its end. In other threads than the main one, which get no signals,
    nothing is limited.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise TookTooLong
