"""Edits of a definition, as a builder makes them: a new definition from an old one, in whatever state it is.

Steps and lists of steps are named by JSON pointers: a step `/actions/0/branches/1/actions/2`, a list `/actions/0/else`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import Bodies
from flowforge.language.pointers import Part, parsed, pointer
from flowforge.language.tree import LISTS, actions_in, map_actions

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def step_at(definition: Mapping[str, Any], at: str) -> JsonObject:
    """The step at the pointer. Raises Invalid."""
    step = _reach(definition, parsed(at))
    if not isinstance(step, dict) or not _is_step(parsed(at)):
        raise Invalid.at("/at", "there is no such step; it was moved or deleted meanwhile")
    return step


def insert(definition: JsonObject, into: str, position: int, action: JsonObject) -> JsonObject:
    """Insert a step before the one at `position` of the list, or at its end. Raises Invalid."""
    changed = copy.deepcopy(definition)
    steps = _list_at(changed, parsed(into))
    steps.insert(min(max(position, 0), len(steps)), copy.deepcopy(action))
    return changed


def remove(definition: JsonObject, at: str) -> JsonObject:
    """Remove a step. Raises Invalid."""
    step_at(definition, at)
    changed = copy.deepcopy(definition)
    *into, position = parsed(at)
    del _list_at(changed, tuple(into))[int(position)]
    return changed


def move(definition: JsonObject, at: str, into: str, position: int) -> JsonObject:
    """Move a step before the one that is now at `position` of the list `into`. Raises Invalid, also for a step that
    would end up inside itself."""
    action = step_at(definition, at)
    from_, to = parsed(at), parsed(into)
    if to[: len(from_)] == from_:
        raise Invalid.at("/into", "a step cannot be moved into itself")
    _list_at(copy.deepcopy(definition), to)
    into, position = landing(at, into, position)
    return insert(remove(definition, at), into, position, action)


def landing(at: str, into: str, position: int) -> tuple[str, int]:
    """The list and the position of a step after such a move: the gap that it leaves has closed."""
    from_, to = parsed(at), parsed(into)
    behind = to == from_[:-1] and position > int(from_[-1])
    return pointer(_after_removal(from_, to)), position - 1 if behind else position


def duplicate(definition: JsonObject, at: str) -> JsonObject:
    """Insert a copy behind the step, with ids of its own. Raises Invalid."""
    step = step_at(definition, at)
    *into, position = parsed(at)
    taken = _ids(definition)

    def renamed(action: JsonObject) -> JsonObject:
        identifier = action.get("id")
        if not isinstance(identifier, str):
            return action
        own = _make_fresh_id(identifier, taken)
        taken.add(own)
        return {**action, "id": own}

    [action] = map_actions([step], renamed)
    return insert(definition, pointer(tuple(into)), int(position) + 1, action)


def change(definition: JsonObject, at: str, fields: Mapping[str, Any]) -> JsonObject:
    """Set fields of a step; None removes one. A new id replaces the old one in every expression, too."""
    before = step_at(definition, at).get("id")
    changed = copy.deepcopy(definition)
    step = _reach(changed, parsed(at))
    for name, value in fields.items():
        if value is None:
            step.pop(name, None)
        else:
            step[name] = value
    after = fields.get("id")
    if isinstance(before, str) and isinstance(after, str) and before != after:
        changed["actions"] = _rename_references(changed["actions"], before, after)
    return changed


def add_branch(definition: JsonObject, at: str) -> JsonObject:
    """Add a branch to a block that has branches. Raises Invalid."""
    step = step_at(definition, at)
    branches = step.get("branches")
    if not isinstance(branches, list):
        raise Invalid.at("/at", "this step has no branches")
    names = {branch.get("name") for branch in branches if isinstance(branch, dict)}
    number = next(n for n in range(len(branches) + 1, len(branches) + len(names) + 2) if f"branch {n}" not in names)
    more: JsonObject = {"name": f"branch {number}", "actions": []}
    block = BLOCKS.get(str(step.get("type")).upper())
    if block is not None and block.bodies.has_conditions:
        more["when"] = ""
    return change(definition, at, {"branches": [*branches, more]})


def remove_branch(definition: JsonObject, at: str, number: int) -> JsonObject:
    """Remove a branch with the steps inside it. Raises Invalid."""
    branches = step_at(definition, at).get("branches")
    if not isinstance(branches, list) or not 0 <= number < len(branches):
        raise Invalid.at("/number", "there is no such branch")
    return change(definition, at, {"branches": [*branches[:number], *branches[number + 1 :]]})


def blank(definition: Mapping[str, Any], type_: str, *, called: str = "") -> JsonObject:
    """A new step of that type, with an unused id: made from `called` (`listPets`), or from the type."""
    block = BLOCKS.get(type_)
    action = _empty_action(definition, type_, _as_id(called))
    bodies = _empty_bodies(block.bodies) if block else {}
    if block is not None and block.begins_with is not None:
        bodies["actions"] = [_empty_action(definition, block.begins_with)]
    return action | bodies


def _empty_action(definition: Mapping[str, Any], type_: str, base: str = "") -> JsonObject:
    return {"id": _make_fresh_id(base or type_.lower(), _ids(definition)), "type": type_, "config": {}}


def _empty_bodies(bodies: Bodies) -> JsonObject:
    match bodies:
        case Bodies.BRANCHES:
            return {"branches": [{"name": "yes", "when": "", "actions": []}], "else": []}
        case Bodies.LANES:
            return {"branches": [{"name": "one", "actions": []}, {"name": "other", "actions": []}]}
        case Bodies.ACTIONS:
            return {"actions": []}
        case Bodies.NONE:
            return {}


def _as_id(name: str) -> str:
    """`listPets` as `list_pets`; empty where nothing of the name can stand in an id."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    id_ = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:50]
    return f"_{id_}" if re.match(r"\d|step_\d+$", id_) else id_


def _make_fresh_id(base: str, taken: set[str]) -> str:
    """`call`, else `call_2`, `call_3`, ..."""
    if base not in taken:
        return base
    stem = re.sub(r"_\d+$", "", base) or base
    number = 2
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def _ids(definition: Mapping[str, Any]) -> set[str]:
    return {str(action["id"]) for _, action in actions_in(definition.get("actions")) if action.get("id") is not None}


def _rename_references(actions: Any, before: str, after: str) -> Any:
    """Replace every `steps.before` and `resume.before` inside expressions."""
    name = re.escape(before)
    used = re.compile(rf"\b(steps|resume)(\.{name}(?![\w-])|\[\s*(['\"]){name}\3\s*\])")

    def in_expression(match: re.Match[str]) -> str:
        return used.sub(lambda use: f"{use[1]}.{after}", match[0])

    return _map_texts(actions, lambda text: _EXPRESSION.sub(in_expression, text))


def _map_texts(value: Any, transform: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return transform(value)
    if isinstance(value, list):
        return [_map_texts(inner, transform) for inner in value]
    if isinstance(value, dict):
        return {key: _map_texts(inner, transform) for key, inner in value.items()}
    return value


def _after_removal(removed: tuple[Part, ...], path: tuple[Part, ...]) -> tuple[Part, ...]:
    """The path that leads to the same thing once the step at `removed` is gone: what is behind it moves up."""
    depth = len(removed) - 1
    if len(path) <= depth or path[:depth] != removed[:depth]:
        return path
    here, gone = path[depth], removed[depth]
    moves_up = isinstance(here, int) and isinstance(gone, int) and here > gone
    return (*path[:depth], int(here) - 1, *path[depth + 1 :]) if moves_up else path


def _is_step(path: tuple[Part, ...]) -> bool:
    return len(path) >= 2 and isinstance(path[-1], int) and path[-2] in LISTS


def _list_at(definition: JsonObject, path: tuple[Part, ...]) -> list[Any]:
    """The list itself, to be changed; one that is not there yet is made. Raises Invalid."""
    owner = _reach(definition, path[:-1])
    if not path or path[-1] not in LISTS or not isinstance(owner, dict):
        raise Invalid.at("/into", "there is no such list of steps; it was moved or deleted meanwhile")
    steps = owner.get(str(path[-1]))
    if not isinstance(steps, list):
        steps = owner[str(path[-1])] = []
    return steps


def _reach(value: Any, path: tuple[Part, ...]) -> Any:
    for part in path:
        if not _has(value, part):
            return None
        value = value[part]
    return value


def _has(value: Any, part: Part) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and isinstance(part, str) and part in value
