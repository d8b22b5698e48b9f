"""One poll: the trigger as it was when it began, and the limits within which it looks for what is new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flowforge.engine.account_access import AccountAccess
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends


class Overtaken(Exception):
    """Another poll of this trigger was faster, or somebody has changed it since this one began."""


@dataclass(frozen=True, slots=True)
class PollLimits:
    """Limits on how much one poll reads at once; its time limit is divided, the rest is for noting what went wrong."""

    headers_at_once: int = 50
    bytes_at_once: int = 8 * 1024 * 1024
    items_at_once: int = 100
    reading_share: float = 0.7
    connected_share: float = 0.85


POLL_LIMITS = PollLimits()


@dataclass(frozen=True, slots=True)
class PolledTrigger:
    """An enabled trigger that is polled, as it was when the poll began."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
    configuration: Any
    created_at: datetime
    updated_at: datetime
    last_success_at: datetime | None
    last_error_at: datetime | None

    @property
    def config(self) -> JsonObject:
        """Empty where an adopted row holds something else."""
        return self.configuration if isinstance(self.configuration, dict) else {}

    @property
    def failing_since(self) -> datetime:
        """The time of the last success, or of the last change if that was later."""
        return max(self.last_success_at or self.created_at, self.updated_at)


@dataclass(frozen=True, slots=True)
class Poll:
    """`deadline`: the time (monotonic) after which nothing more is begun; connections end a little later, at that of
    `access`."""

    backends: Backends
    trigger: PolledTrigger
    access: AccountAccess
    deadline: float
    limits: PollLimits = POLL_LIMITS
