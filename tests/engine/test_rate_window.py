"""What a rate limit promises, whatever comes when."""

from __future__ import annotations

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from flowforge.engine.rate_window import RateWindow
from flowforge.language.definition import RateLimit

rates = st.builds(RateLimit, limit=st.integers(1, 12), seconds=st.sampled_from([0.01, 1.0, 60.0, 3600.0]))
arrivals = st.lists(st.tuples(st.floats(0, 0.7), st.integers(1, 8)), min_size=1, max_size=60)
"""How many want to begin, and after which part of the limit's time."""

START = 1_800_000_000.0


def beginnings(rate: RateLimit, wanted: list[tuple[float, int]]) -> list[float]:
    """When executions begin where everybody who may do so does, and nobody waits."""
    now, begun, times = START, [], []
    for pause, count in wanted:
        now += pause * rate.seconds
        window = RateWindow.of(rate, begun, now)
        times += [now] * window.take(count, now)
        begun = [(at, number) for at, number in json.loads(json.dumps(window.begun))]
    return times


@given(rates, arrivals)
def test_within_no_time_of_that_length_more_begin_than_the_limit(
    rate: RateLimit, wanted: list[tuple[float, int]]
) -> None:
    times = beginnings(rate, wanted)
    assert all(later - first >= rate.seconds for first, later in zip(times, times[rate.limit :], strict=False))


@settings(deadline=None, max_examples=20)
@given(rates, arrivals)
def test_what_is_remembered_does_not_grow_with_the_limit(rate: RateLimit, wanted: list[tuple[float, int]]) -> None:
    rate = RateLimit(limit=100_000, seconds=rate.seconds)
    rest = itertools.cycle(count for _, count in wanted)
    begun: list[tuple[float, int]] = []
    for number in range(1_000):
        now = START + number * rate.seconds / 997
        window = RateWindow.of(rate, begun, now)
        window.take(next(rest), now)
        begun = window.begun
    assert len(begun) <= 202


@given(rates)
def test_as_many_begin_at_once_after_a_quiet_time_and_no_more_until_the_time_is_over(rate: RateLimit) -> None:
    window = RateWindow.of(rate, [], START)
    assert window.take(rate.limit + 5, START) == rate.limit
    assert window.take(1, START) == 0
    free_at = window.next_free(START)
    assert START + rate.seconds <= free_at <= START + rate.seconds * 1.01 + 0.001
    assert RateWindow.of(rate, window.begun, free_at).free() == rate.limit


def test_of_a_limit_that_was_lowered_so_many_have_to_pass_as_are_too_many() -> None:
    begun = [(START, 2), (START + 10, 2), (START + 20, 2)]
    window = RateWindow.of(RateLimit(limit=3, seconds=60), begun, START + 30)
    assert (window.free(), window.next_free(START + 30)) == (0, START + 70)
