"""The queue's promise: however many places some holders have, the others get theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from flowforge.engine import fair_queue
from flowforge.engine.fair_queue import Admission, FairQueue
from flowforge.fair_shares import Shares

BEGINS, WAITS, CROWDED = Admission.BEGINS, Admission.WAITS, Admission.CROWDED


@dataclass(frozen=True, eq=False)
class Task:
    holder: str
    kind: str = "thread"
    account: str = ""

    @property
    def holders(self) -> tuple[str, ...]:
        return (self.holder, self.account) if self.account else (self.holder,)


def tasks(number: int, holder: str, kind: str = "thread") -> list[Task]:
    return [Task(holder, kind) for _ in range(number)]


def queue_of(threads: int, *limits: int, calls: int = 0, most_waiting: int = 1_000) -> FairQueue[Task]:
    return FairQueue({"thread": threads, "call": calls}, limits, most_waiting)


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
    newcomers = [Task(f"newcomer {number}") for number in range(threads + 1)]
    assert queue.admit(newcomers).count(BEGINS) == threads


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


def test_who_waits_at_its_limit_begins_when_a_place_of_another_kind_comes_back() -> None:
    queue = queue_of(8, 1, calls=8)
    [calling] = queue.put(tasks(1, "a", "call"))
    [waiting] = tasks(1, "a")
    assert queue.put([waiting]) == []
    assert queue.give_back(calling) == [waiting]


def test_an_account_has_a_limit_of_its_own_around_those_of_its_workflows() -> None:
    queue = queue_of(100, 2, 3)
    wanted = [Task(workflow, account="one") for workflow in "aabbcc"]
    begun = queue.put(wanted)
    assert Counter(one.holder for one in begun) == {"a": 2, "b": 1}
    assert [one.holder for one in queue.give_back(begun[0])] == ["b"]


def test_accounts_have_their_turns_whatever_number_of_workflows_they_have() -> None:
    queue = queue_of(1, 1)
    [running] = queue.put([Task("first", account="one")])
    queue.put([*(Task(f"workflow {number}", account="one") for number in range(50)), Task("modest", account="two")])
    assert [one.holder for one in run_all(queue, [running])].index("modest") <= 2


@pytest.mark.parametrize("hindrance", ["limits", "shares"])
def test_who_gives_a_place_back_looks_at_few_of_those_that_cannot_begin(
    hindrance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands wait: for the limit of their workflow, or for the share of their account."""
    queue = queue_of(8, 1, calls=4_000)
    by_limit = [Task(f"workflow {number}", "call", account="greedy") for number in range(1_000) for _ in range(2)]
    by_share = [Task(f"workflow {number}", account="greedy") for number in range(1_000)]
    queue.put(by_limit if hindrance == "limits" else by_share)
    [other] = queue.put([Task("modest", "call" if hindrance == "limits" else "thread", account="modest")])
    looks = 0

    def counting(looked: Any) -> Any:
        def look(*args: Any) -> Any:
            nonlocal looks
            looks += 1
            return looked(*args)

        return look

    for name in ("have_room", "have_room_around"):
        monkeypatch.setattr(Shares, name, counting(getattr(Shares, name)))
    monkeypatch.setattr(fair_queue._Places, "at_limit", counting(fair_queue._Places.at_limit))
    assert queue.give_back(other) == []
    assert looks <= 8


def test_a_closed_queue_begins_nothing() -> None:
    queue = queue_of(1, 1)
    [running, *waiting] = tasks(3, "a")
    assert queue.put([running, *waiting]) == [running]
    queue.close()
    assert queue.give_back(running) == []
    assert queue.put(tasks(1, "b")) == []


def test_what_follows_goes_before_the_others_of_its_line() -> None:
    queue = queue_of(2)
    first, *waiting = tasks(3, "a")
    queue.put([first, *waiting])
    following = tasks(2, "a")
    assert [queue.follow_ups()(one) for one in following] == [WAITS, WAITS]
    assert queue.put(following, ahead=True) == []
    assert run_all(queue, [first]) == [first, *following, *waiting]


def test_what_follows_waits_beside_others_of_its_holders_whatever_place_it_takes() -> None:
    queue = queue_of(4, 1, calls=4)
    [first] = queue.put(tasks(2, "a", "call"))
    [following] = tasks(1, "a")
    assert queue.follow_ups()(following) is WAITS
    queue.put([following], ahead=True)
    assert len(run_all(queue, [first])) == 3


def test_what_follows_begins_where_a_place_is_free_and_no_more_than_these() -> None:
    queue = queue_of(32, 2)
    follow_up = queue.follow_ups()
    assert [follow_up(one) for one in tasks(3, "a")] == [BEGINS, BEGINS, CROWDED]
    assert follow_up(Task("b")) is BEGINS
    assert len(queue.put(tasks(2, "a"), ahead=True)) == 2
