"""Child processes that end with the process that started them, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # prctl(2)


def ending_with_us(stop_signal: signal.Signals) -> Callable[[], None]:
    """Return what a child has to call between fork and exec, so that it gets `stop_signal` when we end, killed or not.

    "We" is the thread that starts the child, as prctl(2) has it. On systems other than Linux it does nothing.
    """
    if sys.platform != "linux":
        return lambda: None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def bind_to_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)

    return bind_to_parent
