"""Edits of a definition, as a builder makes them: a new definition from an old one, in whatever state it is.

Places are JSON pointers: of a step `/actions/0/branches/1/actions/2`, of a list of steps `/actions/0/else`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from flowforge.errors import Invalid
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import Bodies
from flowforge.language.pointers import Part, parsed, pointer
from flowforge.language.tree import actions_in, map_actions

Json = dict[str, Any]
_LISTS = ("actions", "else", "onError")
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def step_at(definition: Mapping[str, Any], at: str) -> Json:
    """Raises Invalid."""
    step = _reach(definition, parsed(at))
    if not isinstance(step, dict) or not _is_step(parsed(at)):
        raise Invalid.at("/at", "there is no such step; it was moved or deleted meanwhile")
    return step


def insert(definition: Json, into: str, position: int, action: Json) -> Json:
    """Before the step that stands at `position` of the list, or at its end. Raises Invalid."""
    changed = copy.deepcopy(definition)
    steps = _list_at(changed, parsed(into))
    steps.insert(min(max(position, 0), len(steps)), copy.deepcopy(action))
    return changed


def remove(definition: Json, at: str) -> Json:
    """Raises Invalid."""
    step_at(definition, at)
    changed = copy.deepcopy(definition)
    *into, position = parsed(at)
    del _list_at(changed, tuple(into))[int(position)]
    return changed


def move(definition: Json, at: str, into: str, position: int) -> Json:
    """To before the step that stands now at `position` of the list `into`. Raises Invalid, also for a step that would
    end up inside itself."""
    action = step_at(definition, at)
    from_, to = parsed(at), parsed(into)
    if to[: len(from_)] == from_:
        raise Invalid.at("/into", "a step cannot be moved into itself")
    _list_at(copy.deepcopy(definition), to)
    into, position = landing(at, into, position)
    return insert(remove(definition, at), into, position, action)


def landing(at: str, into: str, position: int) -> tuple[str, int]:
    """The list, and the place in it, where a step is once it was moved there: it leaves a gap that closes."""
    from_, to = parsed(at), parsed(into)
    behind = to == from_[:-1] and position > int(from_[-1])
    return pointer(_without(from_, to)), position - 1 if behind else position


def duplicate(definition: Json, at: str) -> Json:
    """The copy stands behind it, with ids of its own. Raises Invalid."""
    step = step_at(definition, at)
    *into, position = parsed(at)
    taken = _ids(definition)

    def renamed(action: Json) -> Json:
        identifier = action.get("id")
        if not isinstance(identifier, str):
            return action
        own = _fresh(identifier, taken)
        taken.add(own)
        return {**action, "id": own}

    [action] = map_actions([step], renamed)
    return insert(definition, pointer(tuple(into)), int(position) + 1, action)


def change(definition: Json, at: str, fields: Mapping[str, Any]) -> Json:
    """Sets fields of a step; None takes one away. An id that changes is changed in every expression, too."""
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
        changed["actions"] = _renamed(changed["actions"], before, after)
    return changed


def add_branch(definition: Json, at: str) -> Json:
    """One more branch of a block that has branches. Raises Invalid."""
    step = step_at(definition, at)
    branches = step.get("branches")
    if not isinstance(branches, list):
        raise Invalid.at("/at", "this step has no branches")
    names = {branch.get("name") for branch in branches if isinstance(branch, dict)}
    number = next(n for n in range(len(branches) + 1, len(branches) + len(names) + 2) if f"branch {n}" not in names)
    more: Json = {"name": f"branch {number}", "actions": []}
    block = BLOCKS.get(str(step.get("type")).upper())
    if block is not None and block.bodies.has_conditions:
        more["when"] = ""
    return change(definition, at, {"branches": [*branches, more]})


def remove_branch(definition: Json, at: str, number: int) -> Json:
    """With the steps inside it. Raises Invalid."""
    branches = step_at(definition, at).get("branches")
    if not isinstance(branches, list) or not 0 <= number < len(branches):
        raise Invalid.at("/number", "there is no such branch")
    return change(definition, at, {"branches": [*branches[:number], *branches[number + 1 :]]})


def blank(definition: Mapping[str, Any], type_: str) -> Json:
    """A new step of that type, with an id that nobody has."""
    action: Json = {"id": _fresh(type_.lower(), _ids(definition)), "type": type_, "config": {}}
    block = BLOCKS.get(type_)
    return action | (_empty_bodies(block.bodies) if block else {})


def _empty_bodies(bodies: Bodies) -> Json:
    match bodies:
        case Bodies.BRANCHES:
            return {"branches": [{"name": "yes", "when": "", "actions": []}], "else": []}
        case Bodies.LANES:
            return {"branches": [{"name": "one", "actions": []}, {"name": "other", "actions": []}]}
        case Bodies.ACTIONS:
            return {"actions": []}
        case Bodies.NONE:
            return {}


def _fresh(base: str, taken: set[str]) -> str:
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


def _renamed(actions: Any, before: str, after: str) -> Any:
    """Every `steps.before` and `resume.before` inside expressions."""
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


def _without(taken: tuple[Part, ...], place: tuple[Part, ...]) -> tuple[Part, ...]:
    """Where `place` is once the step at `taken` is gone: behind it in the same list, everything moves up."""
    depth = len(taken) - 1
    if len(place) <= depth or place[:depth] != taken[:depth]:
        return place
    here, gone = place[depth], taken[depth]
    moves_up = isinstance(here, int) and isinstance(gone, int) and here > gone
    return (*place[:depth], int(here) - 1, *place[depth + 1 :]) if moves_up else place


def _is_step(place: tuple[Part, ...]) -> bool:
    return len(place) >= 2 and isinstance(place[-1], int) and place[-2] in _LISTS


def _list_at(definition: Json, place: tuple[Part, ...]) -> list[Any]:
    """The list itself, to be changed; one that is not there yet is made. Raises Invalid."""
    owner = _reach(definition, place[:-1])
    if not place or place[-1] not in _LISTS or not isinstance(owner, dict):
        raise Invalid.at("/into", "there is no such list of steps; it was moved or deleted meanwhile")
    steps = owner.get(str(place[-1]))
    if not isinstance(steps, list):
        steps = owner[str(place[-1])] = []
    return steps


def _reach(value: Any, place: tuple[Part, ...]) -> Any:
    for part in place:
        if not _has(value, part):
            return None
        value = value[part]
    return value


def _has(value: Any, part: Part) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and isinstance(part, str) and part in value
