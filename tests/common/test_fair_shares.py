"""Places that some hold without end: the others get theirs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from flowforge.fair_shares import FairShares


def taken(shares: FairShares, *holders: str) -> int:
    """Places that the holders get who take all they can."""
    number = 0
    while shares.take(*holders):
        number += 1
    return number


@pytest.mark.parametrize("places", [1, 2, 3, 4, 5, 32, 33])
def test_who_takes_all_they_can_leaves_half_of_the_places(places: int) -> None:
    assert taken(FairShares(places), "greedy") == (places + 1) // 2


def test_newcomers_find_a_place_while_others_hold_all_they_can() -> None:
    shares = FairShares(32)
    assert [taken(shares, f"account {number}") for number in range(6)] == [16, 8, 4, 2, 1, 1]


def test_an_account_has_no_more_because_its_work_is_spread_over_many_workflows() -> None:
    shares = FairShares(32)
    assert [taken(shares, f"workflow {number}", "greedy") for number in range(8)] == [12, 6, 3, 2, 1, 0, 0, 0]
    assert taken(shares, "workflow", "modest") == 3


def test_other_workflows_of_the_same_account_find_a_place() -> None:
    shares = FairShares(16)
    assert [taken(shares, f"slow {number}", "account") for number in range(3)] == [6, 3, 2]
    assert shares.take("quick", "account")


def test_places_that_are_given_back_let_the_shares_rise_again() -> None:
    shares = FairShares(8)
    assert (taken(shares, "first"), taken(shares, "second")) == (4, 2)
    for _ in range(4):
        shares.give_back("first")
    assert taken(shares, "second") == 2
    assert taken(shares, "first") == 2


def test_a_place_is_given_back_at_the_end_of_its_block_and_only_where_it_was_taken() -> None:
    shares = FairShares(1)
    with shares.place("a") as first, shares.place("b") as second:
        assert (first, second) == (True, False)
    assert taken(shares, "c") == 1


def test_the_patient_get_what_is_given_back_meanwhile() -> None:
    shares = FairShares(1)
    assert shares.take("first")
    with ThreadPoolExecutor(1) as patient:
        waiting = patient.submit(shares.take, "second", patience=30)
        shares.give_back("first")
        assert waiting.result()
