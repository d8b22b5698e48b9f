"""New identifiers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import RFC_4122

from flowforge.ids import uuid7


def test_they_are_uuids_of_version_7_that_say_when_they_were_made() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000
    assert datetime.fromtimestamp((made.int >> 80) / 1000, UTC).year >= 2026


def test_they_sort_in_the_order_in_which_they_were_made() -> None:
    made = []
    for _ in range(1_000):
        made.append(uuid7())
        time.sleep(0)  # longer than the clock's 0.25 µs in any case
    assert made == sorted(made)
    assert len(set(made)) == len(made)
