"""A definition that is being written, without its unreadable parts, so that the rest of it can be compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from flowforge.jsonio import JsonObject
from flowforge.language.definition import ActionDefinition, BranchDefinition, written_time_zone
from flowforge.language.pointers import Part
from flowforge.language.repair import UNREAD
from flowforge.language.tree import LISTS

Path = tuple[Part, ...]
_OWN_PARTS = ("type", "config", "id", "name", "when", "retry", "timeout", "afterCrash", "enabled", *LISTS)


def readable(definition: Mapping[str, Any], target: Path = (), *, instead: JsonObject | None = None) -> JsonObject:
    """Return the readable actions, and the time zone; steps keep their numbers (flowforge.language.scope_rules). The
    action at the path `target`, and those around it, are enabled. `instead`: parts that replace that action's own."""
    actions = _Reading(target, instead).actions(definition.get("actions"), ("actions",))
    return {"actions": actions, "settings": {"timeZone": written_time_zone(definition)}}


@dataclass(frozen=True, slots=True)
class _Reading:
    target: Path
    instead: JsonObject | None

    def actions(self, written: Any, path: Path) -> list[JsonObject]:
        members = enumerate(written if isinstance(written, list) else ())
        return [self._action(action, (*path, number)) for number, action in members if isinstance(action, dict)]

    def _action(self, action: JsonObject, path: Path) -> JsonObject:
        is_replaced = path == self.target and self.instead is not None
        read = dict(self.instead or {}) if is_replaced else _own_parts(action)
        if path == self.target[: len(path)]:
            read.pop("enabled", None)
        if isinstance(action.get("branches"), list):
            read["branches"] = self._branches(action["branches"], path)
        for key in LISTS:
            if isinstance(action.get(key), list):
                read[key] = self.actions(action[key], (*path, key))
        return read

    def _branches(self, written: list[Any], path: Path) -> list[JsonObject]:
        return [
            _readable_parts(BranchDefinition, branch, ("name", "when"))
            | {"actions": self.actions(branch.get("actions"), (*path, "branches", number, "actions"))}
            for number, branch in enumerate(written)
            if isinstance(branch, dict)
        ]


def _own_parts(action: JsonObject) -> JsonObject:
    own = {key: value for key, value in action.items() if key not in LISTS or not isinstance(value, list)}
    return {"type": UNREAD} | _readable_parts(ActionDefinition, own, _OWN_PARTS)


def _readable_parts(
    model: type[ActionDefinition | BranchDefinition], written: JsonObject, names: tuple[str, ...]
) -> JsonObject:
    parts = {name: written[name] for name in names if name in written}
    try:
        model.model_validate(parts)
    except ValidationError as error:
        wrong = {found["loc"][0] for found in error.errors(include_url=False, include_input=False)}
        return {name: part for name, part in parts.items() if name not in wrong}
    return parts
