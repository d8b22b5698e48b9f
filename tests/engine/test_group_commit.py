"""What threads bring while another one is storing is stored together; nobody fails, or waits, because of another."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain

import pytest

from flowforge.engine.group_commit import MOST, GroupCommit
from tests.waiting import eventually

BAD = -1


class Storage:
    """Notes what is stored together; what is stored of a number is ten times as much."""

    def __init__(self, patience: float = 60) -> None:
        self.commits: list[list[int]] = []
        self.begun = 0
        self.announced: list[int] = []
        self.announces = threading.Event()
        self.announces.set()
        self.group = GroupCommit(self._commit, self._announce, patience)
        self._lock = threading.Lock()

    def _commit(self, items: Sequence[int]) -> list[int]:
        self.begun += 1
        with self._lock:
            if BAD in items:
                raise ValueError("bad")
            self.commits.append(list(items))
            return [item * 10 for item in items]

    def _announce(self, items: Sequence[int], results: Sequence[int]) -> None:
        self.announces.wait(60)
        assert [item * 10 for item in items] == list(results)
        self.announced += items

    @contextmanager
    def held(self) -> Iterator[None]:
        """A commit takes as long as the block."""
        with self._lock:
            yield


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MOST + 10) as pool:
        yield pool


def while_another_is_stored(storage: Storage, threads: ThreadPoolExecutor, items: Sequence[int]) -> list[Future[int]]:
    """The items come, in this order, while 0 is being stored."""
    with storage.held():
        stored = [threads.submit(storage.group.store, 0)]
        eventually(lambda: storage.group.is_storing)
        for item in items:
            stored.append(threads.submit(storage.group.store, item))
            eventually(lambda: storage.group.waiting == len(stored) - 1)
    return stored[1:]


def test_an_item_waits_for_no_company(storage: Storage) -> None:
    assert [storage.group.store(item) for item in (1, 2)] == [10, 20]
    assert storage.commits == [[1], [2]]


def test_what_comes_meanwhile_is_stored_together(storage: Storage, threads: ThreadPoolExecutor) -> None:
    stored = while_another_is_stored(storage, threads, [1, 2, 3])

    assert [each.result(60) for each in stored] == [10, 20, 30]
    assert storage.commits == [[0], [1, 2, 3]]


def test_a_group_has_a_limit(storage: Storage, threads: ThreadPoolExecutor) -> None:
    items = range(1, MOST + 3)
    for each in while_another_is_stored(storage, threads, items):
        each.result(60)

    assert [len(commit) for commit in storage.commits] == [1, MOST, 2]


def test_all_is_announced_once(storage: Storage, threads: ThreadPoolExecutor) -> None:
    list(threads.map(storage.group.store, range(500)))

    eventually(lambda: len(storage.announced) == 500)
    assert sorted(storage.announced) == sorted(chain(*storage.commits)) == list(range(500))


def test_none_fails_because_of_another(storage: Storage, threads: ThreadPoolExecutor) -> None:
    first, bad, last = while_another_is_stored(storage, threads, [1, BAD, 3])

    assert (first.result(60), last.result(60)) == (10, 30)
    with pytest.raises(ValueError, match="bad"):
        bad.result(60)
    eventually(lambda: sorted(storage.announced) == [0, 1, 3])


def test_the_next_is_stored_after_one_that_failed(storage: Storage) -> None:
    with pytest.raises(ValueError, match="bad"):
        storage.group.store(BAD)

    assert storage.group.store(1) == 10


def test_what_is_stored_alone_neither_waits_nor_is_waited_for(storage: Storage, threads: ThreadPoolExecutor) -> None:
    group = storage.group
    with storage.held():
        stored = [threads.submit(group.store, 0)]
        eventually(lambda: group.is_storing)
        stored += [threads.submit(group.store, 1), *(threads.submit(group.store_alone, item) for item in (2, 3))]
        eventually(lambda: storage.begun == 3 and group.waiting == 1)
    for each in stored:
        each.result(60)

    assert sorted(storage.commits) == [[0], [1], [2], [3]]


def test_nobody_waits_for_long_behind_one_that_hangs(threads: ThreadPoolExecutor) -> None:
    storage = Storage(patience=0.05)
    with storage.held():
        stored = [threads.submit(storage.group.store, item) for item in range(3)]
        eventually(lambda: storage.group.is_storing and storage.group.waiting == 0)
    for each in stored:
        each.result(60)

    assert sorted(storage.commits) == [[0], [1], [2]]


def test_nobody_but_one_waits_for_the_announcement(storage: Storage, threads: ThreadPoolExecutor) -> None:
    storage.announces.clear()
    leading, follower = while_another_is_stored(storage, threads, [1, 2])

    assert follower.result(60) == 20
    assert not leading.done()
    storage.announces.set()
    assert leading.result(60) == 10
