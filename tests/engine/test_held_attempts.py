"""What an executor holds: from the claim to the end, and not beyond its time."""

from __future__ import annotations

from datetime import UTC, datetime

from flowforge.db.attempt_rows import AttemptKey, as_plain
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.leases import Instant
from flowforge.engine.running_steps import holders_of
from flowforge.engine.step_runner import key_of
from flowforge.events import ExecutionStart
from flowforge.ids import uuid7


def held_start(held: HeldAttempts) -> ExecutionStart:
    start = ExecutionStart(
        execution_id=uuid7(),
        workflow_id=uuid7(),
        user_id=uuid7(),
        step_index=0,
        action_type="TRANSFORM",
        action_config={},
        attempt=1,
        timestamp=datetime.now(UTC),
    )
    held.add(key_of(start), holders_of(start), 100, Instant.now())
    return start


def test_what_was_claimed_is_held_until_it_is_removed() -> None:
    held = HeldAttempts(1_000)
    first, second = held_start(held), held_start(held)
    held.remove(key_of(first))
    assert [as_plain(one) for one in held.all()] == [key_of(second)]
    held.remove(AttemptKey(first.execution_id, 0, 0, 1))  # once more changes nothing


def test_its_bytes_are_those_of_all_that_is_held() -> None:
    held = HeldAttempts(1_000)
    first, _ = held_start(held), held_start(held)
    assert held.bytes_left == 800
    held.remove(key_of(first))
    assert held.bytes_left == 900


def test_what_grows_takes_no_more_than_its_share_and_gives_all_back_in_the_end() -> None:
    held = HeldAttempts(1_000)
    first, second = key_of(held_start(held)), key_of(held_start(held))
    assert [held.resize_if_room(first, 300), held.resize_if_room(first, 300)] == [True, False]
    assert held.resize_if_room(second, 50)
    assert held.resize_if_room(first, -200)
    assert held.bytes_left == 1_000 - 200 - 300 - 50 + 200
    held.remove(first)
    held.remove(second)
    assert held.bytes_left == 1_000
    assert held.resize_if_room(first, 300)
    assert held.bytes_left == 1_000


def test_what_is_there_in_any_case_leaves_less_room_for_others() -> None:
    held = HeldAttempts(1_000)
    first, second = key_of(held_start(held)), key_of(held_start(held))
    held.resize(first, 900)
    assert held.bytes_left == -100
    assert not held.resize_if_room(second, 1)


def test_what_is_let_go_because_it_has_not_begun_does_not_begin_any_more() -> None:
    held = HeldAttempts(1_000)
    begun, waiting = held_start(held), held_start(held)
    assert held.begin(key_of(begun))
    assert held.let_go_unbegun() == [key_of(waiting)]
    assert not held.begin(key_of(waiting))
    assert [as_plain(one) for one in held.all()] == [key_of(begun)]
    assert held.bytes_left == 900


def test_a_lease_runs_from_the_moment_before_it_was_granted_until_it_is_extended() -> None:
    held, now = HeldAttempts(1_000), Instant.now()
    key = key_of(held_start(held))
    held.extend([key], Instant(now.elapsing - 11, now.time_of_day - 11))
    assert not held.is_leased(key, 10)
    held.extend([key], now)
    assert held.is_leased(key, 10)


def test_what_is_not_held_is_not_leased() -> None:
    held = HeldAttempts(1_000)
    key = key_of(held_start(held))
    held.remove(key)
    held.extend([key], Instant.now())
    assert not held.is_leased(key, 10)
