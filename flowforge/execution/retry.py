"""The decision whether and when a failed attempt is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.definition import RetryPolicy

LONGEST_RETRY_AFTER_SECONDS = 24 * 3600.0
LONGEST_PAUSE_SECONDS = 15 * 60.0
MOST_PAUSES = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure of an attempt. `permanent`: a retry cannot help. `retry_after`: seconds that the receiver demands.
    `answered`: the receiver itself has refused; otherwise nobody knows whether the call was done. `final`: it is not
    tried again, whatever its policy says."""

    message: str
    permanent: bool = False
    retry_after: float | None = None
    answered: bool = False
    final: bool = False

    def as_json(self) -> JsonObject:
        """The JSON that an attempt's row holds."""
        kept: dict[str, Any] = {
            "message": self.message,
            "permanent": self.permanent,
            "retryAfter": self.retry_after,
            "answered": self.answered,
        }
        return kept | ({"final": True} if self.final else {})

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Failure:
        permanent, answered, final = (bool(kept.get(name)) for name in ("permanent", "answered", "final"))
        return cls(str(kept.get("message")), permanent, kept.get("retryAfter"), answered, final)


def is_pause(failure: Failure, pauses: int) -> bool:
    """Whether the failed attempt is none of those that the policy counts: the receiver only asked to be left alone for
    a while (Retry-After: RFC 9110, 10.2.3). `pauses`: how many such attempts there were before."""
    may_pass = not failure.permanent and not failure.final
    return may_pass and pauses < MOST_PAUSES and 0 < (failure.retry_after or 0) <= LONGEST_PAUSE_SECONDS


def retry_at(policy: RetryPolicy, attempt: int, failure: Failure, now: datetime, chance: float) -> datetime | None:
    """The time of the attempt that follows the failed attempt number `attempt`, pauses left out; None to give up.

    `chance` in [0, 1) spreads the wait over its upper half, so that many failures do not come back together.
    A Retry-After of the receiver is honoured as the least wait.
    """
    if failure.final or (failure.permanent and policy.on != "any") or attempt >= policy.attempts:
        return None
    longest: float = min(policy.delay * policy.factor ** max(0, attempt - 1), policy.max_delay)
    wait = longest * (0.5 + chance / 2) if policy.jitter else longest
    if failure.retry_after is not None:
        wait = max(wait, min(failure.retry_after, LONGEST_RETRY_AFTER_SECONDS))
    return now + timedelta(seconds=wait)
