"""Views of workflows, versions and drafts, their secrets masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flowforge.errors import Problem
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class WorkflowSummary:
    """A workflow without its definition."""

    id: UUID
    name: str
    user_id: UUID
    enabled: bool
    created_at: datetime
    updated_at: datetime
    version_id: UUID | None
    key: str | None
    is_draft: bool
    """Whether it has never been published."""


@dataclass(frozen=True, slots=True)
class WorkflowView(WorkflowSummary):
    trigger: Any
    """The trigger as it is stored: an adopted row may hold anything."""
    actions: Any
    settings: JsonObject | None
    warnings: Sequence[Problem] | None = None
    """What is written and has no effect; None where there is no such thing."""

    @property
    def definition(self) -> JsonObject:
        return {"name": self.name, "trigger": self.trigger, "actions": self.actions, "settings": self.settings}


@dataclass(frozen=True, slots=True)
class VersionView:
    id: UUID
    workflow_id: UUID
    number: int | None
    """None: a draft that was run and never published."""
    name: str
    trigger: Any
    actions: Any
    settings: JsonObject | None
    created_at: datetime
    created_by: UUID | None
    note: str | None


@dataclass(frozen=True, slots=True)
class DraftView:
    workflow_id: UUID
    revision: int
    """0: there is no draft; the definition is the one that is published."""
    definition: JsonObject
    problems: Sequence[Problem]
    """Problems that keep it from being published."""
    version_id: UUID | None
    """The version that is published now."""
    base_version_id: UUID | None
    """The version that was published when the draft was begun."""
    updated_at: datetime
    updated_by: UUID | None
    warnings: Sequence[Problem] = ()
    """What is written in it and has no effect."""

    @property
    def behind(self) -> bool:
        """Whether another version was published since the draft was begun."""
        return self.base_version_id != self.version_id
