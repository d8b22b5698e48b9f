"""Fields of a config, as people fill them in where the stored ones are for programs: a time of day and days of the week
instead of a cron expression. What is stored stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.fields import chosen_by
from flowforge.jsonio import JsonObject

FORM_KIND = "formKind"
"""The key of the field that chooses among the ways to fill it in. It is never stored."""

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FormView:
    fields: JsonObject
    """JSON Schemas of the fields that are drawn in place of the stored ones. That of FORM_KIND is a choice; the others
    say with `onlyFor` for which choices they are drawn."""
    stored: frozenset[str]
    """The keys that they stand for."""
    show: Callable[[Values, str | None], JsonObject]
    """The values of the fields for a config; given a way that is wanted, those for that way."""
    write: Callable[[Values, Values], JsonObject]
    """The stored keys for the values of the fields, given the config as it was."""
    places: Mapping[str, str]
    """The field beside which a problem of a stored key is told."""

    def schema(self, schema: Values) -> JsonObject:
        """The schema of a config with these fields in place of the stored ones, where the first of those was."""
        properties: JsonObject = {}
        for key, declared in schema["properties"].items():
            if key not in self.stored:
                properties[key] = declared
            elif FORM_KIND not in properties:
                properties |= {name: {**own, **_group_of(declared)} for name, own in self.fields.items()}
        required = [key for key in schema.get("required", ()) if key not in self.stored]
        return {**schema, "properties": properties, "required": required, **chosen_by(FORM_KIND)}

    def shown(self, config: Values, wanted: str | None = None) -> JsonObject:
        others = {key: value for key, value in config.items() if key not in self.stored}
        return others | self.show(config, wanted)

    def written(self, values: Values, before: Values) -> JsonObject:
        """The config for the values. Stored keys stay as they were where their fields say the same, or nothing
        at all."""
        others = {key: value for key, value in values.items() if key not in self.fields}
        own = {key: values[key] for key in self.fields if key in values}
        if FORM_KIND not in own or self._drawn(own) == self.show(before, own[FORM_KIND]):
            return others | {key: before[key] for key in self.stored if key in before}
        return others | self.write(own, before)

    def _drawn(self, own: Values) -> JsonObject:
        """The values of the fields that are drawn for the chosen way."""
        return {key: value for key, value in own.items() if is_for(self.fields[key], own.get(FORM_KIND))}


def choice_of_way(title: str, labels: Mapping[str, str]) -> JsonObject:
    """The JSON Schema of FORM_KIND."""
    return {
        "title": title,
        "enum": [*labels],
        "labels": dict(labels),
        "filled": True,
        "noExpressions": "is one of them",
    }


def is_for(declared: Values, choice: object) -> bool:
    """Whether a field has a meaning for a choice, by its schema."""
    choices = [*declared.get("onlyFor", ()), *declared.get("requiredFor", ())]
    return not choices or choice in choices


def _group_of(declared: Values) -> JsonObject:
    return {"group": declared["group"]} if "group" in declared else {}
