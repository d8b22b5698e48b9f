"""Keys: names that the owner gives to workflows, the same on every server. As text a workflow calls another one by
`key:<key>`; in the tables stands its id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.pointers import Part
from flowforge.language.tree import actions_in, map_actions
from flowforge.sentences import sentence
from flowforge.workflows.called_workflow import called_workflow

PREFIX = "key:"
LONGEST_KEY = 64
KEY_PATTERN = rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_KEY - 1}}}"
NOWHERE = UUID(int=0)
"""Stands for the id of an unknown workflow."""


def problems_of_key(key: Any) -> list[Problem]:
    """`key` may be absent (None)."""
    if key is None or (isinstance(key, str) and re.fullmatch(KEY_PATTERN, key)):
        return []
    words = sentence(
        "must be small letters, digits, '.', '_' and '-', begin with a letter or digit, and have at most %(most)s",
        most=LONGEST_KEY,
    )
    return [Problem("/key", words)]


def id_as_key(key: str | None) -> UUID | None:
    """The id that the key is: an export gives it to a workflow that has no key of its own, and no name of its own."""
    try:
        id_ = UUID(key or "")
    except ValueError:
        return None
    return id_ if str(id_) == key else None


def called_keys(definition: Mapping[str, Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
    """Yield every key by which the definition names another workflow, with its path."""
    for path, action in actions_in(definition.get("actions")):
        called = called_workflow(action)
        if called is not None and isinstance(called.named, str) and called.named.startswith(PREFIX):
            yield (*path, "config", called.field), called.named.removeprefix(PREFIX)
    settings = definition.get("settings")
    error_workflow = settings.get("errorWorkflow") if isinstance(settings, dict) else None
    if isinstance(error_workflow, str) and error_workflow.startswith(PREFIX):
        yield ("settings", "errorWorkflow"), error_workflow.removeprefix(PREFIX)


def with_ids(definition: Mapping[str, Any], ids: Mapping[str, UUID]) -> JsonObject:
    """Replace keys in the definition by ids; NOWHERE for an unknown key."""

    def id_of(called: Any) -> Any:
        if not isinstance(called, str) or not called.startswith(PREFIX):
            return called
        return str(ids.get(called.removeprefix(PREFIX), NOWHERE))

    return _rename(definition, id_of)


def with_placeholders(definition: Mapping[str, Any]) -> JsonObject:
    """Replace each key in the definition by an id without meaning, where there is no server to resolve it."""
    return with_ids(definition, {})


def with_keys(definition: Mapping[str, Any], keys: Mapping[UUID, str]) -> JsonObject:
    """Replace the ids of workflows that have a key by it."""
    by_text = {str(id_): f"{PREFIX}{key}" for id_, key in keys.items()}
    return _rename(
        definition, lambda called: by_text.get(called.lower(), called) if isinstance(called, str) else called
    )


def _rename(definition: Mapping[str, Any], rename: Callable[[Any], Any]) -> JsonObject:
    renamed = dict(definition)

    def change(action: JsonObject) -> JsonObject:
        called = called_workflow(action)
        if called is None:
            return action
        return {**action, "config": {**action["config"], called.field: rename(called.named)}}

    renamed["actions"] = map_actions(definition.get("actions"), change)
    if "actions" not in definition:
        del renamed["actions"]
    settings = definition.get("settings")
    if isinstance(settings, dict) and settings.get("errorWorkflow") is not None:
        renamed["settings"] = {**settings, "errorWorkflow": rename(settings["errorWorkflow"])}
    return renamed
