"""Edits of what people write down about a workflow or a step."""

from __future__ import annotations

from flowforge.jsonio import JsonObject
from flowforge.language.edits.steps import change


def annotate(definition: JsonObject, at: str, note: str) -> JsonObject:
    """Set the note on a step, or on the workflow where `at` is empty; an empty note is removed. Raises Invalid."""
    written = note.strip() or None
    return change(definition, at, {"note": written}) if at else _annotate_workflow(definition, written)


def _annotate_workflow(definition: JsonObject, note: str | None) -> JsonObject:
    settings = definition.get("settings")
    others = {key: value for key, value in settings.items() if key != "note"} if isinstance(settings, dict) else {}
    return {**definition, "settings": others | ({"note": note} if note else {}) or None}
