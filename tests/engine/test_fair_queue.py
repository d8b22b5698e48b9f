"""The queue's promise: however many places some holders have, the others get theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from flowforge.engine.fair_queue import Admission, FairQueue

BEGINS, WAITS, CROWDED = Admission.BEGINS, Admission.WAITS, Admission.CROWDED


@dataclass(frozen=True, eq=False)
class Task:
    holder: str
    kind: str = "thread"

    @property
    def holders(self) -> tuple[str]:
        return (self.holder,)


def tasks(number: int, holder: str, kind: str = "thread") -> list[Task]:
    return [Task(holder, kind) for _ in range(number)]


def queue_of(threads: int, per_workflow: int, *, calls: int = 0, most_waiting: int = 1_000) -> FairQueue[Task]:
    return FairQueue({"thread": threads, "call": calls}, per_workflow, most_waiting)


def run_all(queue: FairQueue[Task], begun: Sequence[Task]) -> list[Task]:
    """Ends what has begun, one after the other, and what begins by that; returns all in the order of their ends."""
    running, ended = list(begun), []
    while running:
        ended.append(running.pop(0))
        running += queue.give_back(ended[-1])
    return ended


@pytest.mark.parametrize("hanging", [1, 2, 3, 4, 5])
def test_a_newcomer_begins_while_others_hold_all_they_can(hanging: int) -> None:
    queue = queue_of(32, 16)
    for number in range(hanging):
        assert len(queue.put(tasks(100, f"slow {number}"))) == 16 >> number
    [quick] = queue.put(tasks(1, "quick"))
    assert quick.holder == "quick"


def test_one_workflow_never_has_more_running_than_its_limit_of_whatever_kind() -> None:
    queue = queue_of(32, 4, calls=1_000)
    begun = queue.put([*tasks(3, "a"), *tasks(3, "a", "call")])
    assert Counter(one.kind for one in begun) == {"thread": 3, "call": 1}
    assert len(queue.put(tasks(1, "b"))) == 1


def test_places_of_one_kind_are_none_of_another() -> None:
    queue = queue_of(1, 100, calls=2)
    assert len(queue.put(tasks(5, "a"))) == 1
    assert [one.kind for one in queue.put([*tasks(5, "b"), *tasks(1, "c", "call")])] == ["call"]


def test_the_limits_rise_again_when_work_ends() -> None:
    queue = queue_of(8, 8)
    first = queue.put(tasks(4, "first"))
    second = queue.put(tasks(100, "second"))
    assert (len(first), len(second)) == (4, 2)
    assert len(run_all(queue, [*first, *second])) == 104
    assert len(queue.put(tasks(100, "second"))) == 4


@pytest.mark.parametrize("threads", [1, 2, 3, 32])
def test_everything_begins_in_the_end_in_turns(threads: int) -> None:
    queue = queue_of(threads, 16)
    begun = [one for number in range(700) for one in queue.put(tasks(1, f"holder {number % 7}"))]
    ended = run_all(queue, begun)
    assert len(ended) == 700
    assert set(Counter(one.holder for one in ended[: 7 * (threads + 7)])) == {f"holder {number}" for number in range(7)}
    assert queue.free["thread"] == threads


@pytest.mark.parametrize("hanging", [0, 1, 2])
def test_it_tells_beforehand_what_would_begin(hanging: int) -> None:
    queue = queue_of(8, 4)
    for number in range(hanging):
        queue.put(tasks(20, f"slow {number}"))
    wanted = [Task("slow 0" if hanging else "new"), *tasks(9, "new"), Task("other")]
    told = queue.admit(wanted)
    assert [one for one, admission in zip(wanted, told, strict=True) if admission is BEGINS] == queue.put(wanted)
    assert not hanging or told[0] is WAITS


def test_of_those_that_wait_nobody_has_more_than_a_share() -> None:
    queue = queue_of(1, 1, most_waiting=8)
    assert queue.admit(tasks(7, "a")) == [BEGINS, *[WAITS] * 4, CROWDED, CROWDED]
    queue.put(tasks(5, "a"))
    assert queue.admit([*tasks(3, "b"), Task("a")]) == [WAITS, WAITS, CROWDED, CROWDED]


def test_what_begins_at_once_needs_no_place_among_those_that_wait() -> None:
    queue = queue_of(1, 100, calls=10, most_waiting=0)
    queue.put(tasks(1, "a"))
    assert queue.admit([Task("a"), Task("b", "call")]) == [CROWDED, BEGINS]


def test_a_closed_queue_begins_nothing_and_gives_back_what_has_not_begun() -> None:
    queue = queue_of(1, 1)
    [running, *waiting] = tasks(3, "a")
    assert queue.put([running, *waiting]) == [running]
    assert queue.close() == waiting
    assert queue.give_back(running) == []
    assert queue.put(tasks(1, "b")) == []
