"""Large bodies are handled a few at a time; small ones wait for nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from flowforge.errors import Unavailable
from tests.waiting import eventually
from webapp.intake.body_budget import BodyBudget

MB = 1024 * 1024


@pytest.fixture
def budget() -> BodyBudget:
    return BodyBudget(4 * MB, patience=0.05)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_bodies_are_handled_together_up_to_the_limit(budget: BodyBudget, stack: ExitStack) -> None:
    for _ in range(4):
        stack.enter_context(budget.spend(MB))
    with pytest.raises(Unavailable), budget.spend(MB):
        raise AssertionError("there is no room")


def test_a_small_body_needs_no_room(budget: BodyBudget, stack: ExitStack) -> None:
    stack.enter_context(budget.spend(4 * MB))
    stack.enter_context(budget.spend(10_000))


def test_one_body_may_be_larger_than_the_limit(budget: BodyBudget) -> None:
    with budget.spend(50 * MB):
        pass


def test_room_is_given_back_whatever_happens(budget: BodyBudget) -> None:
    with pytest.raises(ValueError, match="no"), budget.spend(4 * MB):
        raise ValueError("no")
    with budget.spend(4 * MB):
        pass


def test_whoever_waits_goes_on_when_there_is_room() -> None:
    budget, entered = BodyBudget(4 * MB, patience=15), threading.Event()

    def wait() -> None:
        with budget.spend(MB):
            entered.set()

    with budget.spend(4 * MB):
        thread = threading.Thread(target=wait)
        thread.start()
        assert not entered.wait(0.05)
    eventually(entered.is_set)
    thread.join()


def test_nobody_overtakes_who_came_before(stack: ExitStack) -> None:
    waiting = BodyBudget(4 * MB, patience=15)
    first = stack.enter_context(ExitStack())
    order: list[str] = []
    first.enter_context(waiting.spend(2 * MB))

    def take(name: str, size: int) -> None:
        with waiting.spend(size):
            order.append(name)

    large = threading.Thread(target=take, args=("large", 4 * MB))
    large.start()
    eventually(lambda: len(waiting._line) == 1)
    small = threading.Thread(target=take, args=("small", MB))
    small.start()
    eventually(lambda: len(waiting._line) == 2)
    first.close()
    large.join()
    small.join()
    assert order == ["large", "small"]
