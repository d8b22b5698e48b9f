"""Triggers as clients ask for them: read field by field, so that every problem can be named at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.enabled import problems_of_enabled, switched
from flowforge.errors import Problem
from flowforge.triggers.kind import TriggerKind
from flowforge.triggers.kinds import find_registered_kind, registered_types


@dataclass(frozen=True, slots=True)
class NewTrigger:
    """A trigger that a client requests; its configuration is not validated yet. An unreadable field is None."""

    workflow_id: UUID | None
    kind: TriggerKind[Any] | None
    configuration: Any
    enabled: bool


def new_trigger(raw: Mapping[str, Any]) -> tuple[NewTrigger, list[Problem]]:
    wanted = NewTrigger(
        _uuid(raw.get("workflowId")),
        find_registered_kind(raw.get("triggerType")),
        raw.get("configuration"),
        switched(raw, True),
    )
    problems = problems_of_enabled(raw)
    if wanted.workflow_id is None:
        problems.append(_absent_or_wrong(raw, "workflowId", "is not a UUID"))
    if wanted.kind is None:
        problems.append(_absent_or_wrong(raw, "triggerType", f"must be one of {', '.join(registered_types())}"))
    return wanted, problems


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _absent_or_wrong(raw: Mapping[str, Any], name: str, wrong: str) -> Problem:
    return Problem(f"/{name}", "is required" if raw.get(name) is None else wrong)
