"""The attempts that an executor holds under leases, from the claim to the end."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.attempts_store import HeldAttempt
from flowforge.engine.leases import Instant
from flowforge.events import ExecutionStart


class HeldAttempts:
    """The attempts that an executor holds.

    Safe to share between threads: every method changes or copies a dictionary in one operation, or holds the lock.
    """

    def __init__(self) -> None:
        self._held: dict[AttemptKey, ExecutionStart] = {}
        self._sizes: dict[AttemptKey, int] = {}
        self._bytes = 0
        self._lock = threading.Lock()
        self._leased_at: dict[AttemptKey, Instant] = {}
        self._began: dict[AttemptKey, datetime] = {}

    def add(self, key: AttemptKey, start: ExecutionStart, size: int, leased_at: Instant) -> None:
        """`size` is in bytes of JSON; `leased_at` is a moment before the lease was granted."""
        self._leased_at[key] = leased_at
        with self._lock:
            self._bytes += size - self._sizes.get(key, 0)
            self._sizes[key] = size
        self._held[key] = start

    def extend(self, keys: Iterable[AttemptKey], leased_at: Instant) -> None:
        """Notes that the leases of these attempts were extended after that moment."""
        self._leased_at.update({key: leased_at for key in keys if key in self._held})

    def doubt(self, keys: Iterable[AttemptKey]) -> None:
        """Notes that the leases of these attempts could not be extended: they may be another's by now."""
        for key in keys:
            self._leased_at.pop(key, None)

    def is_leased(self, key: AttemptKey, seconds: float) -> bool:
        """Whether a lease of so many seconds still runs for certain."""
        leased_at = self._leased_at.get(key)
        return leased_at is not None and leased_at.seconds_ago() < seconds

    def begin(self, key: AttemptKey) -> None:
        """Notes that the attempt begins."""
        self._began[key] = datetime.now(UTC)

    @property
    def bytes(self) -> int:
        """Bytes of JSON of all of them."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._held)

    def remove(self, key: AttemptKey) -> None:
        self._held.pop(key, None)
        with self._lock:
            self._bytes -= self._sizes.pop(key, 0)
        self._leased_at.pop(key, None)
        self._began.pop(key, None)

    def keys(self) -> list[AttemptKey]:
        return list(self._held)

    def all(self) -> list[HeldAttempt]:
        return [
            HeldAttempt(key.execution_id, key.step_index, key.iteration, key.attempt, self._began.get(key))
            for key in self.keys()
        ]

    def unbegun(self) -> list[AttemptKey]:
        return [key for key in self.keys() if key not in self._began]
