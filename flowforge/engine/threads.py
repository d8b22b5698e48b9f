"""Threads that do what blocks, for coroutines that wait for it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from flowforge.engine.fair_queue import FairQueue
from flowforge.fair_shares import Holders

T = TypeVar("T")


class Threads:
    """A bounded number of threads, started when they are needed. A process that ends does not wait for them."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._busy = 0
        """Pieces of work that run or wait."""

    def submit(self, work: Callable[[], None]) -> None:
        """Does the work as soon as a thread is free. It handles its errors itself."""
        with self._lock:
            self._busy += 1
            if self._started < min(self._busy, self._most):
                self._started += 1
                threading.Thread(target=self._run, name=f"{self._name}-{self._started}", daemon=True).start()
        self._work.put(work)

    async def run(self, work: Callable[[], T]) -> T:
        """Does the work, and gives what it gives. Who is cancelled meanwhile waits all the same: a thread cannot be
        stopped."""
        done = asyncio.get_running_loop().create_future()
        self.submit(partial(_do, work, done))
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])
            raise

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
    do: Callable[[], None]
    kind: str = "thread"


class FairThreads:
    """Threads for many short pieces of work, shared fairly between holders: none has more than half of them."""

    def __init__(self, threads: int, name: str) -> None:
        self._queue: FairQueue[_Piece] = FairQueue({"thread": threads}, per_workflow=threads, most_waiting=0)
        self._threads = Threads(threads, name)

    async def run(self, holders: Holders, work: Callable[[], T]) -> T:
        """Does the work when it is the holders' turn, and gives what it gives. Nobody waits for it who is cancelled."""
        done = asyncio.get_running_loop().create_future()
        self._begin(self._queue.put([_Piece(holders, partial(_do, work, done))]))
        result: T = await done
        return result

    def _begin(self, pieces: list[_Piece]) -> None:
        for piece in pieces:
            self._threads.submit(partial(self._do, piece))

    def _do(self, piece: _Piece) -> None:
        try:
            piece.do()
        finally:
            self._begin(self._queue.give_back(piece))


def _do(work: Callable[[], Any], done: asyncio.Future[Any]) -> None:
    """Does the work in a thread, and hands over its result to the loop of the future."""
    if done.cancelled():
        return
    try:
        settle: Callable[[], None] = partial(_settle, done, done.set_result, work())
    except BaseException as error:  # noqa: BLE001  (whoever waits for it is told)
        settle = partial(_settle, done, done.set_exception, _raisable(error))
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        done.get_loop().call_soon_threadsafe(settle)


def _settle(done: asyncio.Future[Any], settle: Callable[[Any], None], result: Any) -> None:
    if not done.done():
        settle(result)


def _raisable(error: BaseException) -> BaseException:
    """A future takes no StopIteration: it would end the coroutine that waits."""
    return RuntimeError(str(error)) if isinstance(error, StopIteration) else error
