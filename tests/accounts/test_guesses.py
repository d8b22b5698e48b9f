"""Guesses at one account's password wait longer and longer, but for the places where its owner is known."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from redis import Redis

from flowforge.accounts.guesses import FREE, LONGEST_PAUSE_SECONDS, Guesses, MustWait, network_of

HOME, OFFICE = "203.0.113.0/24", "2001:db8::/64"


@dataclass(slots=True)
class Guesser:
    """Guesses one after another, from a place; sits pauses out at once."""

    redis: Redis
    guesses: Guesses = field(init=False)

    def __post_init__(self) -> None:
        self.guesses = Guesses(self.redis)

    def wait(self, name: str, *places: str) -> float:
        """Seconds that the next guess has to wait; 0: it was let through, and is wrong."""
        try:
            self.guesses.begin(name, places)
        except MustWait as error:
            return error.seconds
        return 0

    def sit_out(self) -> None:
        for key in self.redis.keys("*:pause:*"):
            self.redis.delete(key)

    def succeed(self, name: str, *places: str) -> None:
        self.guesses.was_right(self.guesses.begin(name, places))


@pytest.fixture
def guesser(redis_url: str) -> Iterator[Guesser]:
    with Redis.from_url(redis_url) as redis:
        yield Guesser(redis)


def exhaust(guesser: Guesser, name: str, *places: str) -> None:
    waits = [guesser.wait(name, *places) for _ in range(FREE + 2)]
    assert waits[: FREE + 1] == [0] * (FREE + 1)
    assert waits[-1] > 0


def test_pauses_grow_up_to_a_limit_and_never_end_for_good(guesser: Guesser) -> None:
    exhaust(guesser, "ada", HOME)
    pauses = []
    for _ in range(9):
        guesser.sit_out()
        assert guesser.wait("ada", HOME) == 0
        pauses.append(round(guesser.wait("ada", HOME)))
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses[-3:] == [LONGEST_PAUSE_SECONDS] * 3


def test_they_are_counted_wherever_they_come_from(guesser: Guesser) -> None:
    for number in range(FREE + 1):
        assert guesser.wait("ada", f"192.0.{number}.0/24") == 0
    assert guesser.wait("ada", "198.51.100.0/24") > 0
    assert guesser.wait("grace", "198.51.100.0/24") == 0


def test_how_a_name_is_written_does_not_matter_nor_whether_it_exists(guesser: Guesser) -> None:
    exhaust(guesser, "nobody", HOME)
    assert guesser.wait("NoBody", HOME) > 0
    assert guesser.wait("nobody\0", HOME) == 0


def test_the_owner_gets_in_where_they_got_in_before(guesser: Guesser) -> None:
    guesser.succeed("ada", HOME)
    exhaust(guesser, "ada", OFFICE)
    assert guesser.wait("ada", HOME) == 0


def test_a_known_browser_gets_in_from_a_network_of_strangers(guesser: Guesser) -> None:
    guesser.succeed("ada", "the browser", HOME)
    exhaust(guesser, "ada", HOME)
    exhaust(guesser, "ada", OFFICE)
    assert guesser.wait("ada", "the browser", OFFICE) == 0


def test_a_familiar_place_guesses_no_better_than_others(guesser: Guesser) -> None:
    guesser.succeed("ada", HOME)
    exhaust(guesser, "ada", HOME)


def test_the_right_password_begins_the_count_anew(guesser: Guesser) -> None:
    for _ in range(3):
        assert [guesser.wait("ada", HOME) for _ in range(FREE - 1)] == [0] * (FREE - 1)
        guesser.succeed("ada", HOME)


def test_guesses_made_side_by_side_do_not_pass_together(guesser: Guesser) -> None:
    with ThreadPoolExecutor(20) as pool:
        waits = list(pool.map(lambda _: guesser.wait("ada", HOME), range(60)))
    assert waits.count(0) == FREE + 1


def test_what_checked_nothing_does_not_count(guesser: Guesser) -> None:
    for _ in range(3 * FREE):
        guesser.guesses.was_none(guesser.guesses.begin("ada", [HOME]))
    assert guesser.wait("ada", HOME) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", HOME),
        ("203.0.113.200", HOME),
        ("2001:db8::1", OFFICE),
        ("2001:db8::ffff:1", OFFICE),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network
