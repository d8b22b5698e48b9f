"""The pool's promise: however many threads some keys hold, the others get theirs."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flowforge.engine.fair_pool import FairPool, Task
from tests.waiting import eventually


class Held:
    """Tasks that hang until they are released."""

    def __init__(self) -> None:
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self._released = threading.Event()
        self._lock = threading.Lock()

    def task(self, key: str) -> Task:
        def hang() -> None:
            with self._lock:
                self.running[key] += 1
                self.most[key] = max(self.most[key], self.running[key])
            self._released.wait(30)
            with self._lock:
                self.running[key] -= 1
                self.ended[key] += 1

        return hang

    def release(self) -> None:
        self._released.set()


@contextmanager
def pool_of(threads: int, per_key: int) -> Iterator[tuple[FairPool, Held]]:
    pool, held = FairPool(threads, per_key), Held()
    try:
        yield pool, held
    finally:
        held.release()
        pool.stop()
        pool.wait(10)


def hold(pool: FairPool, held: Held, key: str, tasks: int, running: int) -> None:
    for _ in range(tasks):
        pool.submit((key,), held.task(key))
    eventually(lambda: held.running[key] == running)


def served(pool: FairPool, key: str) -> bool:
    done = threading.Event()
    pool.submit((key,), done.set)
    return done.wait(15)


@pytest.mark.parametrize("hanging", [1, 2, 3, 4, 5])
def test_a_newcomer_is_served_while_others_hold_all_they_can(hanging: int) -> None:
    with pool_of(32, 16) as (pool, held):
        for number in range(hanging):
            hold(pool, held, f"slow {number}", tasks=100, running=16 >> number)
        assert served(pool, "quick")


@pytest.mark.parametrize("hanging", [0, 1, 2])
def test_it_tells_beforehand_which_tasks_would_not_wait(hanging: int) -> None:
    with pool_of(8, 4) as (pool, held):
        for number in range(hanging):
            hold(pool, held, f"slow {number}", tasks=20, running=4 >> number)
        keys = ["slow 0" if hanging else "new", *["new"] * 9, "other"]
        told = pool.begin_at_once([(key,) for key in keys])
        before = held.running["new"] + held.running["other"]
        hold(pool, held, "new", tasks=10 - (hanging > 0), running=sum(told[:10]))
        hold(pool, held, "other", tasks=1, running=int(told[10]))
        assert before == 0
        assert not (hanging and told[0])


def test_one_key_never_has_more_running_than_its_limit() -> None:
    with pool_of(32, 4) as (pool, held):
        hold(pool, held, "a", tasks=50, running=4)
        assert served(pool, "b")
        assert held.most["a"] == 4


def test_the_limits_rise_again_when_work_ends() -> None:
    with pool_of(8, 8) as (pool, held):
        hold(pool, held, "first", tasks=4, running=4)
        hold(pool, held, "second", tasks=100, running=2)
        held.release()
        eventually(lambda: held.ended == {"first": 4, "second": 100})
        later = Held()
        hold(pool, later, "second", tasks=100, running=4)
        later.release()


@pytest.mark.parametrize("threads", [1, 2, 3, 32])
def test_everything_is_run_in_the_end(threads: int) -> None:
    with pool_of(threads, 16) as (pool, held):
        held.release()
        for number in range(600):
            pool.submit((f"key {number % 7}",), held.task(f"key {number % 7}"))
        eventually(lambda: held.ended.total() == 600 and pool.load == 0)


def test_a_task_that_fails_costs_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("unhandled")

    with pool_of(1, 1) as (pool, _):
        pool.submit(("a",), fail)
        assert served(pool, "a")
    assert "a task failed without handling it" in caplog.text
