"""Threads that do what blocks, for coroutines that wait for it."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeVar

from flowforge.engine.fair_queue import FairQueue
from flowforge.errors import Unavailable
from flowforge.fair_shares import Holders

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Threads:
    """A bounded number of threads, started when they are needed. A process that ends does not wait for them, unlike for
    those of a ThreadPoolExecutor."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._busy = 0
        """Pieces of work that run or wait."""

    def submit(self, work: Callable[[], None]) -> None:
        """Does the work as soon as a thread is free. It handles its errors itself. Raises Unavailable where there is no
        thread, and none can be started."""
        with self._lock:
            if self._started <= self._busy and self._started < self._most:
                self._start_another()
            self._busy += 1
        self._work.put(work)

    async def run(self, work: Callable[[], T]) -> T:
        """Does the work, and gives what it gives. Whoever is cancelled, however often, waits all the same until what
        has begun ends: a thread cannot be stopped. What has not begun is not done. Raises Unavailable, see `submit`."""
        done: Future[T] = Future()
        self.submit(partial(_do, work, done))
        ended = asyncio.wrap_future(done)
        cancelled: asyncio.CancelledError | None = None
        while not ended.done():
            try:
                await asyncio.wait([ended])
            except asyncio.CancelledError as error:
                cancelled = error
                done.cancel()
        if cancelled is None:
            return ended.result()
        if not ended.cancelled():
            ended.exception()  # nobody else asks for it
        raise cancelled

    def _start_another(self) -> None:
        """Those that there are go on without another where the system has none."""
        name = f"{self._name}-{self._started + 1}"
        try:
            threading.Thread(target=self._run, name=name, daemon=True).start()
        except RuntimeError as error:
            if not self._started:
                raise Unavailable("no thread could be started") from error
            logger.warning("thread %s could not be started: %s", name, error)
            return
        self._started += 1

    def _run(self) -> None:
        while True:
            work = self._work.get()
            work()
            with self._lock:
                self._busy -= 1


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A piece of work that waits for its turn."""

    holders: Holders
    work: Callable[[], Any]
    done: Future[Any]
    kind: str = "thread"


class FairThreads:
    """Threads for many pieces of work, shared fairly between holders. `limits`: the most that each of them may have,
    from the narrowest."""

    def __init__(self, threads: int, name: str, limits: Sequence[int] = ()) -> None:
        self._queue: FairQueue[_Piece] = FairQueue({"thread": threads}, limits, most_waiting=0)
        self._threads = Threads(threads, name)

    async def run(self, holders: Holders, work: Callable[[], T]) -> T:
        """Does the work when it is the holders' turn, and gives what it gives. Whoever is cancelled does not wait:
        what has begun keeps its thread until it ends, what has not is not done. Raises Unavailable where no thread can
        be started."""
        done: Future[T] = Future()
        self._begin(self._queue.put([_Piece(holders, work, done)]))
        return await asyncio.wrap_future(done)

    def _begin(self, pieces: list[_Piece]) -> None:
        for piece in pieces:
            try:
                self._threads.submit(partial(self._do, piece))
            except Unavailable as error:
                _do(partial(_raise, error), piece.done)
                self._begin(self._queue.give_back(piece))

    def _do(self, piece: _Piece) -> None:
        _do(piece.work, piece.done)
        self._begin(self._queue.give_back(piece))


def _do(work: Callable[[], Any], done: Future[Any]) -> None:
    """Does the work in a thread, unless nobody waits for it any more."""
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001  (whoever waits for it is told)
        done.set_exception(_raisable(error))


def _raise(error: Exception) -> NoReturn:
    raise error


def _raisable(error: BaseException) -> BaseException:
    """A future takes no StopIteration: it would end the coroutine that waits."""
    return RuntimeError(str(error)) if isinstance(error, StopIteration) else error
