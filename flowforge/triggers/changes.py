"""Triggers as people and clients request them, read from their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from flowforge.errors import Problem, raise_any
from flowforge.field_reader import FieldReader
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.triggers.kind import TriggerKind
from flowforge.triggers.kinds import find_registered_kind, registered_types
from flowforge.triggers.validation import problems_of_config

CONFIGURATION = "/configuration"


@dataclass(frozen=True, slots=True)
class NewTrigger:
    workflow_id: UUID
    kind: TriggerKind[Any]
    configuration: JsonObject
    enabled: bool = True

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid with the problems of all fields, those of the configuration included."""
        fields = FieldReader(raw)
        enabled, workflow_id = fields.flag("enabled"), _uuid(raw.get("workflowId"))
        kind, configuration = find_registered_kind(raw.get("triggerType")), raw.get("configuration")
        problems = fields.problems
        if workflow_id is None:
            problems.append(_absent_or_wrong(raw, "workflowId", sentence("is not a UUID")))
        if kind is None:
            problems.append(
                _absent_or_wrong(
                    raw, "triggerType", sentence("must be one of %(choices)s", choices=", ".join(registered_types()))
                )
            )
        else:
            problems += problems_of_config(kind, configuration, CONFIGURATION)
        raise_any(problems)
        assert workflow_id is not None
        assert kind is not None
        return cls(workflow_id, kind, configuration or {}, enabled is not False)


@dataclass(frozen=True, slots=True)
class TriggerChange:
    """Changes to a trigger: what is None is kept."""

    configuration: JsonObject | None = None
    """Not validated yet: its kind, and the secrets that masks in it stand for, are the registration's."""
    enabled: bool | None = None
    problems: tuple[Problem, ...] = ()
    """Problems of the fields, reported together with those of the configuration."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        fields = FieldReader(raw)
        enabled, configuration = (
            fields.flag("enabled"),
            fields.take("configuration", dict, sentence("must be an object")),
        )
        return cls(configuration, enabled, tuple(fields.problems))


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _absent_or_wrong(raw: Mapping[str, Any], name: str, wrong: str) -> Problem:
    return Problem(f"/{name}", sentence("is required") if raw.get(name) is None else wrong)
