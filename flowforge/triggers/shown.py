"""Triggers as they are shown: their secrets are masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from flowforge.db.tables import TriggerRegistration
from flowforge.jsonio import JsonObject
from flowforge.triggers.registrations import Triggers, configuration_of


@dataclass(frozen=True, slots=True)
class TriggerHealth:
    last_triggered_at: datetime | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTrigger:
    """A trigger: first what the contract has (section 1.2), then ours."""

    id: UUID
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
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

    @classmethod
    def of(cls, row: TriggerRegistration, triggers: Triggers) -> Self:
        return cls(
            id=row.id,
            workflow_id=row.workflow_id,
            user_id=row.user_id,
            trigger_type=row.trigger_type.lower(),
            configuration=triggers.masked(configuration_of(row)),
            enabled=row.enabled,
            webhook_url=row.webhook_url,
            webhook_token=row.webhook_token,
            created_at=row.created_at,
            updated_at=row.updated_at,
            managed=bool(row.managed),
            next_fire_times=triggers.fire_times(row),
            health=TriggerHealth(row.last_triggered_at, row.last_success_at, row.last_error_at, row.last_error),
        )
