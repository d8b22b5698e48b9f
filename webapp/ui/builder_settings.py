"""The settings of a workflow as the builder shows them: fields as they are declared, the error workflow by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.definition import WorkflowSettings
from flowforge.triggers.json_schema import object_schema
from webapp.ui.fields import Field, fields_of, with_chosen
from webapp.ui.step_fields import labels_of, notes_of

SETTINGS = "settings"
_NOTE, _ERROR_WORKFLOW = "note", "errorWorkflow"


@dataclass(frozen=True, slots=True)
class SettingsPanel:
    fields: Sequence[Field]
    values: JsonObject


def settings_panel(
    definition: Mapping[str, Any], workflows: Sequence[tuple[UUID, str]] = (), own_id: UUID | None = None
) -> SettingsPanel:
    """`workflows`: those that can be started when an execution fails, by id and name; the workflow itself cannot."""
    values = settings_of(definition)
    names = {str(id_): name for id_, name in workflows if id_ != own_id}
    choices = with_chosen(list(names), values.get(_ERROR_WORKFLOW))
    fields = [field for field in fields_of(object_schema(WorkflowSettings)) if field.key != _NOTE]
    return SettingsPanel([_with_workflows(field, choices, names) for field in fields], values)


def settings_of(definition: Mapping[str, Any]) -> JsonObject:
    """The settings without the note, which is edited elsewhere."""
    written = definition.get(SETTINGS)
    return {key: value for key, value in written.items() if key != _NOTE} if isinstance(written, dict) else {}


def with_settings(definition: JsonObject, values: JsonObject) -> JsonObject:
    written = definition.get(SETTINGS)
    note = {_NOTE: written[_NOTE]} if isinstance(written, dict) and _NOTE in written else {}
    return {**definition, SETTINGS: values | note or None}


def notes_of_settings(problems: Sequence[Problem], panel: SettingsPanel) -> dict[str, str]:
    """The problems of the settings by the paths of their fields."""
    own = [placed(problem) for problem in problems if problem.pointer.startswith(f"/{SETTINGS}/")]
    return notes_of("", own, labels_of(panel.fields, panel.values))


def placed(problem: Problem) -> Problem:
    """The problem at its field in the form."""
    return replace(problem, pointer=f"/config{problem.pointer.removeprefix(f'/{SETTINGS}')}")


def _with_workflows(field: Field, choices: Sequence[str], names: Mapping[str, str]) -> Field:
    if field.key != _ERROR_WORKFLOW:
        return field
    return replace(field, kind="choice", choices=choices, labels=names)
