"""Views of registered triggers, their secrets masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flowforge.errors import Problem
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class TriggerHealth:
    last_triggered_at: datetime | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None

    @property
    def is_in_trouble(self) -> bool:
        """Whether its last error came after its last success."""
        if not self.last_error:
            return False
        return self.last_success_at is None or self.last_error_at is None or self.last_error_at > self.last_success_at


@dataclass(frozen=True, slots=True)
class TriggerView:
    """A trigger: first what the contract has (section 1.2), then ours."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
    """In lower case."""
    configuration: JsonObject
    enabled: bool
    webhook_url: str | None
    webhook_token: str | None
    created_at: datetime
    updated_at: datetime
    managed: bool
    """Whether the workflow's own `trigger` made it."""
    next_fire_times: Sequence[datetime]
    health: TriggerHealth
    warnings: Sequence[Problem] | None = None
    """What stands in the configuration and has no effect, if anything."""


@dataclass(frozen=True, slots=True)
class AddressedTrigger:
    """A trigger of any owner, as it is found by the token in its address, or a former one."""

    id: UUID
    user_id: UUID
    token: str
    enabled: bool
    configuration: JsonObject
    """Its secrets are sealed."""
