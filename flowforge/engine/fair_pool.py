"""A bounded pool of threads that is fair between holders: the slow work of one does not hold up the others.

Holders (workflows, with their accounts) are served in rotation, and hold fair shares of the threads
(flowforge.fair_shares); no workflow has more than its limit running. What waits is bounded by the caller in the same
way (`shares_of`).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from flowforge.fair_shares import Holders, Shares

logger = logging.getLogger(__name__)

Task = Callable[[], None]


class FairPool:
    def __init__(self, threads: int, per_workflow: int, name: str = "step") -> None:
        self._per_workflow = per_workflow
        self._waiting: dict[Holders, deque[Task]] = {}
        self._rotation: deque[Holders] = deque()
        self._running = Shares(threads)
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, holders: Holders, task: Task) -> None:
        """Queues a task. Tasks handle their own errors; an error that escapes is logged, and the thread goes on."""
        with self._changed:
            queue = self._waiting.get(holders)
            if queue is None:
                queue = self._waiting[holders] = deque()
                self._rotation.append(holders)
            queue.append(task)
            self._changed.notify()

    @property
    def load(self) -> int:
        """Tasks waiting and running."""
        with self._changed:
            return len(self._threads) - self._running.free + sum(map(len, self._waiting.values()))

    def shares_of(self, places: int) -> Shares:
        """The shares of that many places, of which each task takes one, waiting or running."""
        with self._changed:
            shares = Shares(places - self.load, self._running.held.copy())
            for holders, queue in self._waiting.items():
                shares.held.update(dict.fromkeys(holders, len(queue)))
        return shares

    def begin_at_once(self, tasks: Sequence[Holders]) -> list[bool]:
        """Tells, for tasks of these holders that are to be submitted in this order, which of them would not wait."""
        with self._changed:
            if self._next_holders() is not None:  # a task that waits is about to take the thread
                return [False] * len(tasks)
            running, waiting = self._running.copy(), set(self._waiting)
        begin = []
        for holders in tasks:
            begin.append(holders not in waiting and self._may_run(holders, running))
            if begin[-1]:
                running.take(holders)
            else:
                waiting.add(holders)
        return begin

    def stop(self) -> list[Task]:
        """Begins nothing more; returns what was never begun."""
        with self._changed:
            self._closed = True
            left = [task for queue in self._waiting.values() for task in queue]
            self._waiting.clear()
            self._rotation.clear()
            self._changed.notify_all()
        return left

    def wait(self, seconds: float) -> None:
        """Waits, once it is stopped, for what runs."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running.held, timeout=seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next_holders() is not None)
                if self._closed:
                    return
                holders, task = self._take()
            try:
                task()
            except Exception:
                logger.exception("a task failed without handling it")
            finally:
                self._finish(holders)

    def _may_run(self, holders: Holders, running: Shares) -> bool:
        return running.have_room(holders) and running.held[holders[0]] < self._per_workflow

    def _next_holders(self) -> Holders | None:
        return next((holders for holders in self._rotation if self._may_run(holders, self._running)), None)

    def _take(self) -> tuple[Holders, Task]:
        holders = self._next_holders()
        assert holders is not None
        self._rotation.remove(holders)
        queue = self._waiting[holders]
        task = queue.popleft()
        if queue:
            self._rotation.append(holders)
        else:
            del self._waiting[holders]
        self._running.take(holders)
        if self._next_holders() is not None:
            self._changed.notify()
        return holders, task

    def _finish(self, holders: Holders) -> None:
        with self._changed:
            self._running.give_back(holders)
            self._changed.notify_all() if self._closed else self._changed.notify()
