"""What clients ask for: read part by part, so that every problem can be named at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.errors import Invalid, Problem

TRIGGER_TYPES = ("webhook", "scheduler", "email")
MANUAL = "manual"
"""The trigger type of a workflow that is started by hand only."""
LONGEST_NOTE = 500
"""What people say about a version."""


@dataclass(frozen=True, slots=True)
class NewTrigger:
    """A trigger as a client asks for it; its configuration is still to be judged."""

    workflow_id: UUID
    kind: str
    configuration: Any
    enabled: bool


def new_trigger(raw: Mapping[str, Any]) -> tuple[NewTrigger, list[Problem]]:
    """With problems, the parts they point to hold stand-ins."""
    workflow_id, kind = _uuid(raw.get("workflowId")), _type(raw.get("triggerType"))
    problems = problems_of_enabled(raw)
    if workflow_id is None:
        problems.append(_absent_or_wrong(raw, "workflowId", "is not a UUID"))
    if kind is None:
        problems.append(_absent_or_wrong(raw, "triggerType", f"must be one of {', '.join(TRIGGER_TYPES)}"))
    wanted = NewTrigger(workflow_id or UUID(int=0), kind or "", raw.get("configuration"), switched(raw, True))
    return wanted, problems


def switched(raw: Mapping[str, Any], otherwise: bool) -> bool:
    """Whether it shall be enabled; null is the same as leaving it out."""
    enabled = raw.get("enabled")
    return otherwise if enabled is None else bool(enabled)


def problems_of_enabled(raw: Mapping[str, Any]) -> list[Problem]:
    usable = isinstance(raw.get("enabled"), bool | None)
    return [] if usable else [Problem("/enabled", "must be true or false")]


def problems_of_note(raw: Mapping[str, Any]) -> list[Problem]:
    note = raw.get("note")
    usable = note is None or (isinstance(note, str) and len(note) <= LONGEST_NOTE)
    return [] if usable else [Problem("/note", f"must be text of at most {LONGEST_NOTE} characters")]


def raise_any(problems: Sequence[Problem]) -> None:
    """Raises Invalid when there are problems."""
    if problems:
        raise Invalid(problems)


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _type(value: Any) -> str | None:
    kind = value.lower() if isinstance(value, str) else None
    return kind if kind in TRIGGER_TYPES else None


def _absent_or_wrong(raw: Mapping[str, Any], name: str, wrong: str) -> Problem:
    return Problem(f"/{name}", "is required" if raw.get(name) is None else wrong)
