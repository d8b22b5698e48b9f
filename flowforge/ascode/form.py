"""A workflow as a file holds it: `key`, `name`, `folder`, `enabled`, `trigger`, `settings`, `actions`, in the order
people read.

A *document* is what the API has for it: `{key, enabled, folder, definition: {name, trigger, settings, actions}}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowforge.ascode import yaml_writer
from flowforge.jsonio import JsonObject
from flowforge.language.tree import map_actions

_OF_DOCUMENT = ("key", "enabled", "folder")
_TOP = ("key", "name", "folder", "enabled", "trigger", "settings", "actions")
_TRIGGER = ("type", "config")
_ACTION = (
    "id",
    "name",
    "type",
    "enabled",
    "when",
    "config",
    "retry",
    "timeout",
    "afterCrash",
    "branches",
    "else",
    "actions",
    "onReject",
    "onError",
)
_BRANCH = ("name", "when", "actions")


def text_of(document: Mapping[str, Any]) -> str:
    """The document as YAML."""
    return yaml_writer.write(_ordered_workflow(_flat(document)))


def document_of(written: JsonObject) -> JsonObject:
    """Convert a file's content to what the API has for it: the inverse of `text_of`."""
    own = {key: written[key] for key in _OF_DOCUMENT if key in written}
    return own | {"definition": {key: value for key, value in written.items() if key not in _OF_DOCUMENT}}


def pointer_in_file(pointer: str) -> str:
    """The path in the file of a part of the document."""
    return pointer.removeprefix("/definition")


def ordered_actions(actions: Any) -> Any:
    """The actions, and those inside them, with their keys in the order people read."""
    return map_actions(map_actions(actions, _with_ordered_branches), _ordered_action)


def _flat(document: Mapping[str, Any]) -> JsonObject:
    own = {key: document[key] for key in _OF_DOCUMENT if key in document}
    return own | dict(document["definition"])


def _ordered_workflow(written: JsonObject) -> JsonObject:
    ordered = _order(written, _TOP)
    if isinstance(ordered.get("trigger"), dict):
        ordered["trigger"] = _order(ordered["trigger"], _TRIGGER)
    if "actions" in ordered:
        ordered["actions"] = ordered_actions(ordered["actions"])
    return ordered


def _with_ordered_branches(action: JsonObject) -> JsonObject:
    branches = action.get("branches")
    if not isinstance(branches, list):
        return action
    ordered = [_order(branch, _BRANCH) if isinstance(branch, dict) else branch for branch in branches]
    return {**action, "branches": ordered}


def _ordered_action(action: JsonObject) -> JsonObject:
    return _order(action, _ACTION)


def _order(part: JsonObject, keys: Sequence[str]) -> JsonObject:
    """Known keys first; the others follow as they stand."""
    first = {key: part[key] for key in keys if key in part}
    return first | {key: value for key, value in part.items() if key not in first}
