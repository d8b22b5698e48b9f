"""The attempts that an executor holds under leases, from the claim to the end."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.attempts_store import HeldAttempt
from flowforge.engine.leases import Instant
from flowforge.fair_shares import Holders, Shares


@dataclass(slots=True)
class _Held:
    """`leased_at`: a moment before the lease was granted; None where it may be another's by now. `began`: when its call
    did; None while it waits for its turn."""

    holders: Holders
    size: int
    leased_at: Instant | None
    began: datetime | None = None


class HeldAttempts:
    """The attempts that an executor holds: `most_bytes` of JSON of their messages and of what they hold beside
    (flowforge.engine.step_memory), shared fairly between workflows and accounts. Safe between threads."""

    def __init__(self, most_bytes: int) -> None:
        self._held: dict[AttemptKey, _Held] = {}
        self._bytes = Shares(most_bytes)
        self._lock = threading.Lock()
        self.rows = threading.Lock()
        """Held by whoever changes their rows in PostgreSQL: two transactions that lock the same rows, each in an order
        of its own, would wait for each other."""

    def add(self, key: AttemptKey, holders: Holders, size: int, leased_at: Instant) -> None:
        """`size` is in bytes of JSON; `leased_at` is a moment before the lease was granted."""
        with self._lock:
            self._let_go(key)
            self._held[key] = _Held(holders, size, leased_at)
            self._bytes.take(holders, size)

    def resize_if_room(self, key: AttemptKey, by: int) -> bool:
        """Counts so many more bytes for an attempt; fewer, where `by` is negative. False, and nothing is counted, where
        its holders have their share of them."""
        with self._lock:
            held = self._held.get(key)
            if by > 0 and held is not None and not self._bytes.have_room(held.holders):
                return False
            self._resize(held, by)
            return True

    def resize(self, key: AttemptKey, by: int) -> None:
        """The same for what is there in any case: whatever comes next has less room."""
        with self._lock:
            self._resize(self._held.get(key), by)

    def extend(self, keys: Iterable[AttemptKey], leased_at: Instant) -> None:
        """Notes that the leases of these attempts were extended after that moment."""
        self._note_leases(keys, leased_at)

    def doubt(self, keys: Iterable[AttemptKey]) -> None:
        """Notes that the leases of these attempts could not be extended: they may be another's by now."""
        self._note_leases(keys, None)

    def is_leased(self, key: AttemptKey, seconds: float) -> bool:
        """Whether a lease of so many seconds still runs for certain."""
        with self._lock:
            held = self._held.get(key)
        return held is not None and held.leased_at is not None and held.leased_at.seconds_ago() < seconds

    def begin(self, key: AttemptKey) -> bool:
        """Notes that the attempt begins. False where it is not held any more: then it must not."""
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return False
            held.began = datetime.now(UTC)
            return True

    @property
    def bytes_left(self) -> int:
        """How many more bytes may be held."""
        return self._bytes.free

    def shares_of_bytes(self) -> Shares:
        """The bytes of those that are held: a copy."""
        with self._lock:
            return self._bytes.copy()

    def __len__(self) -> int:
        return len(self._held)

    def remove(self, key: AttemptKey) -> None:
        with self._lock:
            self._let_go(key)

    def let_go_unbegun(self) -> list[AttemptKey]:
        """Holds no longer what has not begun, so that it does not begin any more; returns it."""
        with self._lock:
            unbegun = [key for key, held in self._held.items() if held.began is None]
            for key in unbegun:
                self._let_go(key)
        return unbegun

    def all(self) -> list[HeldAttempt]:
        with self._lock:
            return [
                HeldAttempt(key.execution_id, key.step_index, key.iteration, key.attempt, held.began)
                for key, held in self._held.items()
            ]

    def _note_leases(self, keys: Iterable[AttemptKey], leased_at: Instant | None) -> None:
        with self._lock:
            for key in keys:
                if held := self._held.get(key):
                    held.leased_at = leased_at

    def _resize(self, held: _Held | None, by: int) -> None:
        if held is not None:
            held.size += by
            self._bytes.take(held.holders, by)

    def _let_go(self, key: AttemptKey) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes.give_back(held.holders, held.size)
