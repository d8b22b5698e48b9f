"""The circuit breaker: after a failure one caller at a time tries, and nobody else waits."""

from __future__ import annotations

import pytest

from flowforge.bus.breaker import Breaker
from flowforge.errors import Unavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("it", (OSError,), pause=1, clock=clock)


def fail(breaker: Breaker) -> None:
    with pytest.raises(OSError, match="away"), breaker.guard():
        raise OSError("away")


def is_asked(breaker: Breaker) -> bool:
    try:
        with breaker.guard():
            return True
    except Unavailable:
        return False


def test_a_failure_lets_it_be_for_a_moment(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    assert not is_asked(breaker)
    clock.now = 1
    assert is_asked(breaker)


def test_one_caller_tries_while_the_others_are_refused(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now = 1
    with breaker.guard():
        assert not is_asked(breaker)
    assert is_asked(breaker)


def test_what_still_fails_is_let_be_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now = 1.5
    fail(breaker)
    clock.now = 2
    assert not is_asked(breaker)


def test_other_errors_say_nothing_about_the_server(breaker: Breaker) -> None:
    with pytest.raises(KeyError), breaker.guard():
        raise KeyError
    assert is_asked(breaker)
