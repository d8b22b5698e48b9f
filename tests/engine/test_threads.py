"""Threads for coroutines: bounded, fair, and not stopped by whoever stops waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from flowforge.engine.threads import FairThreads, Threads
from flowforge.errors import Unavailable


class Hanging:
    """Work that ends when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Event()

    def __call__(self) -> str:
        self.begun.release()
        self.let_go.wait(30)
        return "done"

    async def begins(self, times: int = 1) -> None:
        for _ in range(times):
            assert await asyncio.to_thread(self.begun.acquire, timeout=30)


def test_a_result_or_an_error_comes_back() -> None:
    async def work() -> None:
        threads = Threads(2, "test")
        assert await threads.run(partial(int, "17")) == 17
        with pytest.raises(ValueError, match="invalid literal"):
            await threads.run(partial(int, "x"))
        with pytest.raises(RuntimeError):
            await threads.run(partial(next, iter(())))

    asyncio.run(work())


def test_there_are_as_many_threads_as_are_needed_and_no_more() -> None:
    async def work() -> None:
        threads, hanging = Threads(3, "bounded"), Hanging()
        assert await threads.run(partial(int, "1")) == 1
        assert _named("bounded") == 1
        waiting = [asyncio.ensure_future(threads.run(hanging)) for _ in range(10)]
        await hanging.begins(3)
        assert _named("bounded") == 3
        hanging.let_go.set()
        assert await asyncio.gather(*waiting) == ["done"] * 10

    asyncio.run(work())


def test_who_is_cancelled_however_often_waits_for_a_thread_that_cannot_be_stopped() -> None:
    async def work() -> None:
        threads, hanging = Threads(1, "test"), Hanging()
        waiting = asyncio.ensure_future(threads.run(hanging))
        await hanging.begins()
        for _ in range(3):
            waiting.cancel()
            assert (await asyncio.wait([waiting], timeout=0.05))[0] == set()
        hanging.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(work())


def test_another_holder_gets_a_thread_however_much_work_of_one_hangs() -> None:
    async def work() -> None:
        threads, hanging = FairThreads(4, "test"), Hanging()
        waiting = [asyncio.ensure_future(threads.run(("slow",), hanging)) for _ in range(20)]
        await hanging.begins(2)
        assert await threads.run(("quick",), partial(int, "17")) == 17
        for one in waiting[10:]:
            one.cancel()
        hanging.let_go.set()
        assert await asyncio.gather(*waiting[:10]) == ["done"] * 10

    asyncio.run(work())


def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    async def work() -> None:
        threads, fair, hanging, begun = Threads(1, "test"), FairThreads(1, "test"), Hanging(), list[int]()
        running = [asyncio.ensure_future(one) for one in (threads.run(hanging), fair.run(("slow",), hanging))]
        await hanging.begins(2)
        waiting = [
            asyncio.ensure_future(one)
            for one in (threads.run(partial(begun.append, 1)), fair.run(("quick",), partial(begun.append, 2)))
        ]
        await asyncio.sleep(0)
        for one in waiting:
            one.cancel()
        assert len((await asyncio.wait(waiting, timeout=30))[0]) == 2
        hanging.let_go.set()
        await asyncio.gather(*running)
        assert [await threads.run(partial(int, "3")), await fair.run(("last",), partial(int, "4"))] == [3, 4]
        assert begun == []

    asyncio.run(work())


def test_those_that_there_are_go_on_where_no_other_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        threads, fair = Threads(4, "test"), FairThreads(4, "test")
        assert [await threads.run(partial(int, "1")), await fair.run(("a",), partial(int, "2"))] == [1, 2]
        hanging = Hanging()
        running = [asyncio.ensure_future(one) for one in (threads.run(hanging), fair.run(("a",), hanging))]
        await hanging.begins(2)
        with no_more_threads(monkeypatch):
            waiting = [
                asyncio.ensure_future(one)
                for one in (threads.run(partial(int, "3")), fair.run(("b",), partial(int, "4")))
            ]
            await asyncio.sleep(0)
        hanging.let_go.set()
        assert await asyncio.gather(*running, *waiting) == ["done", "done", 3, 4]

    asyncio.run(work())


def test_where_there_is_no_thread_at_all_it_is_told_and_later_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        threads, fair = Threads(1, "test"), FairThreads(1, "test")
        with no_more_threads(monkeypatch):
            for _ in range(2):
                with pytest.raises(Unavailable, match="no thread"):
                    await threads.run(partial(int, "1"))
                with pytest.raises(Unavailable, match="no thread"):
                    await fair.run(("a",), partial(int, "2"))
        assert [await threads.run(partial(int, "3")), await fair.run(("a",), partial(int, "4"))] == [3, 4]

    asyncio.run(work())


@contextmanager
def no_more_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where a system lets a process have no more of them."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        yield


def _named(name: str) -> int:
    return sum(thread.name.startswith(f"{name}-") for thread in threading.enumerate())
