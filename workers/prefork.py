"""A parent process that imports once, forks its children, restarts those that end, and ends them when it ends."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

GRACE_SECONDS = 8.0
_LOOK_EVERY_SECONDS = 0.1
_SETTLED_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """Work for a process of its own, until SIGTERM. `run` opens its own connections."""

    name: str
    run: Callable[[], object]
    grace: float = GRACE_SECONDS
    """Seconds after SIGTERM at which it is killed."""


@dataclass(slots=True)
class _Supervised:
    """A child, with the process that runs it now (0: none) and the pause before the next one."""

    child: Child
    pid: int = 0
    started: float = 0.0
    start_at: float = 0.0
    pause: float = 0.0

    def note_end(self, now: float) -> None:
        """Plans the next process: the sooner this one died after its start, the longer the pause."""
        self.pid = 0
        settled = now - self.started > _SETTLED_SECONDS
        self.pause = 0.0 if settled else min(max(self.pause * 2, 0.1), _LONGEST_PAUSE_SECONDS)
        self.start_at = now + self.pause


class Prefork:
    """Forks children from the main thread of a process that has no other thread and no connection."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._supervised = [_Supervised(child) for child in children]
        self._stopping = False

    def run(self) -> None:
        """Runs until SIGTERM or SIGINT; returns when every child has ended, or its grace is over."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        gc.collect()
        gc.freeze()  # what was imported stays shared: the collector would write to its pages
        while not self._stopping:
            self._start_missing()
            time.sleep(_LOOK_EVERY_SECONDS)
            self._reap_dead()
        self._end()

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start_missing(self) -> None:
        now = time.monotonic()
        for supervised in self._supervised:
            if not supervised.pid and supervised.start_at <= now and not self._stopping:
                supervised.started = now
                supervised.pid = _fork(supervised.child)

    def _reap_dead(self) -> None:
        for supervised in self._supervised:
            if supervised.pid and (status := _ended(supervised.pid)) is not None:
                supervised.note_end(time.monotonic())
                if not self._stopping:
                    log.error("%s ended (%s); starting it again", supervised.child.name, status)

    def _end(self) -> None:
        begun = time.monotonic()
        self._signal(signal.SIGTERM, self._supervised)
        while running := [supervised for supervised in self._supervised if supervised.pid]:
            waited = time.monotonic() - begun
            self._signal(signal.SIGKILL, [one for one in running if waited >= one.child.grace])
            time.sleep(_LOOK_EVERY_SECONDS / 5)
            self._reap_dead()

    def _signal(self, number: signal.Signals, to: Sequence[_Supervised]) -> None:
        for supervised in to:
            if supervised.pid:
                os.kill(supervised.pid, number)


def die_with(parent: int) -> None:
    """Lets this process be killed when `parent` dies, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _fork(child: Child) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        log.info("%s runs as process %d", child.name, pid)
        return pid
    code = 1
    try:
        die_with(parent)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on
        child.run()
        code = 0
    except SystemExit as exit_request:
        code = exit_request.code if isinstance(exit_request.code, int) else 0
    except BaseException:
        log.exception("%s failed", child.name)
    finally:
        logging.shutdown()
        os._exit(code)


def _ended(pid: int) -> str | None:
    reaped, status = os.waitpid(pid, os.WNOHANG)
    if not reaped:
        return None
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name
