"""The attempts that an executor holds under leases, from the claim to the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.attempts_store import HeldAttempt
from flowforge.engine.leases import Instant
from flowforge.events import ExecutionStart


class HeldAttempts:
    """The attempts that an executor holds.

    Safe to share between threads: every method changes or copies a dictionary in one operation.
    """

    def __init__(self) -> None:
        self._held: dict[AttemptKey, ExecutionStart] = {}
        self._sizes: dict[AttemptKey, int] = {}
        self._leased_at: dict[AttemptKey, Instant] = {}
        self._began: dict[AttemptKey, datetime] = {}
        self._must_end_by: dict[AttemptKey, float] = {}
        """Latest ends of the attempts that have begun, by `time.monotonic`."""

    def add(self, key: AttemptKey, start: ExecutionStart, size: int, leased_at: Instant) -> None:
        """`size` is in bytes of JSON; `leased_at` is a moment before the lease was granted."""
        self._leased_at[key] = leased_at
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

    def begin(self, key: AttemptKey, seconds: float) -> None:
        """Notes that the attempt begins, and has to end within that time."""
        self._began[key] = datetime.now(UTC)
        self._must_end_by[key] = time.monotonic() + seconds

    @property
    def bytes(self) -> int:
        """Bytes of JSON of all of them."""
        return sum(list(self._sizes.values()))

    def remove(self, key: AttemptKey) -> None:
        self._held.pop(key, None)
        self._sizes.pop(key, None)
        self._leased_at.pop(key, None)
        self._began.pop(key, None)
        self._must_end_by.pop(key, None)

    def keys(self) -> list[AttemptKey]:
        return list(self._held)

    def all(self) -> list[HeldAttempt]:
        return [
            HeldAttempt(key.execution_id, key.step_index, key.iteration, key.attempt, self._began.get(key))
            for key in self.keys()
        ]

    def unbegun(self) -> list[AttemptKey]:
        return [key for key in self.keys() if key not in self._began]

    def take_overtime(self) -> Sequence[ExecutionStart]:
        """Returns, once, those that have not ended in time. They are held until they are removed."""
        now = time.monotonic()
        late = [key for key, until in list(self._must_end_by.items()) if now > until]
        for key in late:
            self._must_end_by.pop(key, None)
        return [start for key in late if (start := self._held.get(key)) is not None]
