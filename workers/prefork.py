"""A parent process that imports once, forks its children, restarts those that end, and ends them when it ends.

It sleeps until a signal comes: a child has ended, one is asked for, or all are to end.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

GRACE_SECONDS = 8.0
_LOOK_WHILE_ENDING_SECONDS = 0.02
_SETTLED_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
_NEVER = math.inf
_DEMAND = signal.SIGUSR1
_AWAITED = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM, _DEMAND}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """Work for a process of its own, until SIGTERM. `run` opens its own connections."""

    name: str
    run: Callable[[], object]
    grace: float = GRACE_SECONDS
    """Seconds after SIGTERM at which it is killed."""
    on_demand: bool = False
    """Whether it runs only after it was asked for (`start_children_on_demand`), until it ends by itself."""


@dataclass(slots=True)
class _Supervised:
    """A child, with the process that runs it now (0: none) and the pause before the next one."""

    child: Child
    pid: int = 0
    started: float = 0.0
    start_at: float = 0.0
    """The time of `time.monotonic` from which it may be started; never, until it is asked for."""
    pause: float = 0.0

    def __post_init__(self) -> None:
        if self.child.on_demand:
            self.start_at = _NEVER

    def ask_for(self) -> None:
        """Lets it start now, unless it is to pause because it has failed."""
        if self.start_at == _NEVER:
            self.start_at = 0.0

    def note_end(self, now: float, *, failed: bool) -> None:
        """Plans the next process: the sooner this one died after its start, the longer the pause."""
        self.pid = 0
        settled = now - self.started > _SETTLED_SECONDS
        self.pause = 0.0 if settled else min(max(self.pause * 2, 0.1), _LONGEST_PAUSE_SECONDS)
        self.start_at = now + self.pause if failed or not self.child.on_demand else _NEVER


class Prefork:
    """Forks children from the main thread of a process that has no other thread and no connection."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._supervised = [_Supervised(child) for child in children]
        self._stopping = False

    def run(self) -> None:
        """Runs until SIGTERM or SIGINT; returns when every child has ended, or its grace is over."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # some systems drop what has no handler
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        gc.collect()
        gc.freeze()  # what was imported stays shared: the collector would write to its pages
        while not self._stopping:
            self._start_missing()
            self._heed(_wait_for_signal(self._seconds_until_start()))
            self._reap_dead()
        self._end()

    def _heed(self, number: int | None) -> None:
        if number in {signal.SIGTERM, signal.SIGINT}:
            self._stopping = True
        elif number == _DEMAND:
            for supervised in self._supervised:
                supervised.ask_for()

    def _seconds_until_start(self) -> float:
        """Returns infinity where every child runs, or waits to be asked for."""
        next_start = min((one.start_at for one in self._supervised if not one.pid), default=_NEVER)
        return next_start - time.monotonic()

    def _start_missing(self) -> None:
        now = time.monotonic()
        for supervised in self._supervised:
            if not supervised.pid and supervised.start_at <= now:
                supervised.started = now
                try:
                    supervised.pid = _fork(supervised.child)
                except OSError as error:  # of processes or memory there is no more
                    log.error("%s cannot be started: %s", supervised.child.name, error)
                    supervised.note_end(now, failed=True)

    def _reap_dead(self) -> None:
        for supervised in self._supervised:
            if supervised.pid and (code := _exit_code(supervised.pid)) is not None:
                supervised.note_end(time.monotonic(), failed=code != 0)
                if not self._stopping and supervised.start_at != _NEVER:
                    log.error("%s ended (%s); starting it again", supervised.child.name, _described(code))

    def _end(self) -> None:
        begun = time.monotonic()
        self._signal(signal.SIGTERM, self._supervised)
        while running := [supervised for supervised in self._supervised if supervised.pid]:
            waited = time.monotonic() - begun
            self._signal(signal.SIGKILL, [one for one in running if waited >= one.child.grace])
            time.sleep(_LOOK_WHILE_ENDING_SECONDS)
            self._reap_dead()

    def _signal(self, number: signal.Signals, to: Sequence[_Supervised]) -> None:
        for supervised in to:
            if supervised.pid:
                os.kill(supervised.pid, number)


def start_children_on_demand() -> None:
    """Lets the parent of this process start those of its children that run on demand, unless they run."""
    os.kill(os.getppid(), _DEMAND)


def die_with(parent: int) -> None:
    """Lets this process be killed when `parent` dies, however that happens (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _wait_for_signal(seconds: float) -> int | None:
    """Returns the signal that came, None where none has within so many seconds."""
    if seconds <= 0:
        return None
    signal.setitimer(signal.ITIMER_REAL, seconds if seconds < _NEVER else 0)
    number = signal.sigwait(_AWAITED)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return None if number == signal.SIGALRM else number


def _fork(child: Child) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        log.info("%s runs as process %d", child.name, pid)
        return pid
    code = 1
    try:
        die_with(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
        child.run()
        code = 0
    except SystemExit as exit_request:
        code = exit_request.code if isinstance(exit_request.code, int) else 0
    except BaseException:
        log.exception("%s failed", child.name)
    finally:
        logging.shutdown()
        os._exit(code)


def _exit_code(pid: int) -> int | None:
    """Returns None while the process runs, the negative number of the signal that has killed it."""
    reaped, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if reaped else None


def _described(code: int) -> str:
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name
