"""A bounded pool of threads that is fair between keys: the slow work of one does not hold up the others.

Keys (workflows) are served in rotation; no key has more than its limit running, or more than there are idle threads.
So the more is taken, the less any key may add: of 32 threads a first key that never lets go holds 16, a second one 8,
a third 4, and a newcomer still finds a free thread. Work that ends gives its threads back, and the limits rise again.

What waits is bounded by the caller in the same way (`load`, `waiting`).
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence

logger = logging.getLogger(__name__)

Task = Callable[[], None]


class FairPool:
    def __init__(self, threads: int, per_key: int, name: str = "step") -> None:
        self._per_key = per_key
        self._waiting: dict[Hashable, deque[Task]] = {}
        self._rotation: deque[Hashable] = deque()
        self._running: dict[Hashable, int] = {}
        self._idle = threads
        self._count = 0
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, key: Hashable, task: Task) -> None:
        """Queues a task. Tasks handle their own errors; an error that escapes is logged, and the thread goes on."""
        with self._changed:
            queue = self._waiting.get(key)
            if queue is None:
                queue = self._waiting[key] = deque()
                self._rotation.append(key)
            queue.append(task)
            self._count += 1
            self._changed.notify()

    @property
    def load(self) -> int:
        """Tasks waiting and running."""
        with self._changed:
            return self._count + sum(self._running.values())

    def waiting(self, key: Hashable) -> int:
        """Tasks of one key, waiting and running."""
        with self._changed:
            return len(self._waiting.get(key, ())) + self._running.get(key, 0)

    def begin_at_once(self, keys: Sequence[Hashable]) -> list[bool]:
        """Tells, for tasks of these keys that are to be submitted in this order, which of them would not wait."""
        with self._changed:
            if self._next_key() is not None:  # a task that waits is about to take the thread
                return [False] * len(keys)
            idle, running, waiting = self._idle, Counter(self._running), set(self._waiting)
        begin = []
        for key in keys:
            begin.append(key not in waiting and running[key] < min(self._per_key, idle))
            if begin[-1]:
                idle, running[key] = idle - 1, running[key] + 1
            else:
                waiting.add(key)
        return begin

    def busy_keys(self, at_least: int) -> list[Hashable]:
        """Keys with that many tasks waiting and running."""
        with self._changed:
            keys = self._waiting.keys() | self._running.keys()
            return [key for key in keys if len(self._waiting.get(key, ())) + self._running.get(key, 0) >= at_least]

    def stop(self) -> list[Task]:
        """Begins nothing more; returns what was never begun."""
        with self._changed:
            self._closed = True
            left = [task for queue in self._waiting.values() for task in queue]
            self._waiting.clear()
            self._rotation.clear()
            self._count = 0
            self._changed.notify_all()
        return left

    def wait(self, seconds: float) -> None:
        """Waits, once it is stopped, for what runs."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._next_key() is not None)
                if self._closed:
                    return
                key, task = self._take()
            try:
                task()
            except Exception:
                logger.exception("a task failed without handling it")
            finally:
                self._finish(key)

    def _next_key(self) -> Hashable | None:
        limit = min(self._per_key, self._idle)
        return next((key for key in self._rotation if self._running.get(key, 0) < limit), None)

    def _take(self) -> tuple[Hashable, Task]:
        key = self._next_key()
        assert key is not None
        self._rotation.remove(key)
        queue = self._waiting[key]
        task = queue.popleft()
        if queue:
            self._rotation.append(key)
        else:
            del self._waiting[key]
        self._count -= 1
        self._running[key] = self._running.get(key, 0) + 1
        self._idle -= 1
        if self._next_key() is not None:
            self._changed.notify()
        return key, task

    def _finish(self, key: Hashable) -> None:
        with self._changed:
            self._idle += 1
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
            self._changed.notify_all() if self._closed else self._changed.notify()
