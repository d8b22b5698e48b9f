"""Edits of steps, one or several as one.

Steps are chosen by pointers in any order. They keep the order in which they are written, and a step inside another that
is chosen goes along with it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.edits.names import ids_in, rename_references, with_own_ids
from flowforge.language.edits.places import landing, list_at, outermost, reach, step_at
from flowforge.language.pointers import parsed, pointer
from flowforge.sentences import sentence

Changed = tuple[JsonObject, list[str]]
"""The definition, and the pointers of the chosen steps in it, or of what was made of them."""


def selected(definition: JsonObject, chosen: Sequence[str]) -> list[JsonObject]:
    """Copies of the steps. Raises Invalid for one that is not there, and for none."""
    return [copy.deepcopy(step_at(definition, at)) for at in outermost(definition, chosen)]


def insert(definition: JsonObject, into: str, position: int, actions: Sequence[JsonObject]) -> Changed:
    """Insert steps before the one at `position` of the list, or at its end. Raises Invalid."""
    changed = copy.deepcopy(definition)
    steps = list_at(changed, parsed(into))
    first = min(max(position, 0), len(steps))
    steps[first:first] = copy.deepcopy(list(actions))
    return changed, [f"{into}/{first + number}" for number in range(len(actions))]


def remove(definition: JsonObject, chosen: Sequence[str]) -> JsonObject:
    """Raises Invalid."""
    changed = copy.deepcopy(definition)
    for at in reversed(outermost(definition, chosen)):
        *into, position = parsed(at)
        del list_at(changed, tuple(into))[int(position)]
    return changed


def duplicate(definition: JsonObject, chosen: Sequence[str]) -> Changed:
    """Insert copies behind the last of them, with ids of their own. Raises Invalid."""
    steps = selected(definition, chosen)
    *into, position = parsed(outermost(definition, chosen)[-1])
    return paste(definition, pointer(into), int(position) + 1, steps)


def paste(definition: JsonObject, into: str, position: int, actions: Sequence[JsonObject]) -> Changed:
    """Insert steps from elsewhere; an id that is taken here is replaced, and what refers to it among them follows.
    Raises Invalid."""
    return insert(definition, into, position, with_own_ids(actions, ids_in(definition.get("actions"))))


def move(definition: JsonObject, chosen: Sequence[str], into: str, position: int) -> Changed:
    """Move steps, one behind the other, before the one that is now at `position` of the list `into`. Raises Invalid,
    also for steps that would end up inside themselves."""
    moved = outermost(definition, chosen)
    if any(f"{into}/".startswith(f"{at}/") for at in moved):
        raise Invalid.at("/into", sentence("a step cannot be moved into itself"))
    list_at(copy.deepcopy(definition), parsed(into))
    steps = selected(definition, moved)
    for at in reversed(moved):
        into, position = landing(at, into, position)
    return insert(remove(definition, moved), into, position, steps)


def switch(definition: JsonObject, chosen: Sequence[str]) -> JsonObject:
    """Disable the steps; enable them where all of them are disabled. Raises Invalid."""
    changed = copy.deepcopy(definition)
    steps = [step_at(changed, at) for at in outermost(definition, chosen)]
    enables = all(step.get("enabled") is False for step in steps)
    for step in steps:
        if enables:
            step.pop("enabled", None)
        else:
            step["enabled"] = False
    return changed


def change(definition: JsonObject, at: str, fields: Mapping[str, Any]) -> JsonObject:
    """Set fields of a step; None removes one. A new id replaces the old one in every expression, too."""
    before = step_at(definition, at).get("id")
    changed = copy.deepcopy(definition)
    step = reach(changed, parsed(at))
    for name, value in fields.items():
        if value is None:
            step.pop(name, None)
        else:
            step[name] = value
    after = fields.get("id")
    if isinstance(before, str) and isinstance(after, str) and before != after:
        changed["actions"] = rename_references(changed["actions"], {before: after})
    return changed
