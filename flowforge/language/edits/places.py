"""Where steps and lists of steps are, by JSON pointers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.pointers import Part, parsed, pointer
from flowforge.language.tree import LISTS, actions_in
from flowforge.sentences import sentence


def step_at(definition: Mapping[str, Any], at: str) -> JsonObject:
    """The step at the pointer. Raises Invalid."""
    step = reach(definition, parsed(at))
    if not isinstance(step, dict) or not _is_step(parsed(at)):
        raise Invalid.at("/at", sentence("there is no such step; it was moved or deleted meanwhile"))
    return step


def _is_step(path: tuple[Part, ...]) -> bool:
    return len(path) >= 2 and isinstance(path[-1], int) and path[-2] in LISTS


def list_at(definition: JsonObject, path: tuple[Part, ...]) -> list[Any]:
    """The list itself, to be changed; one that is not there yet is made. Raises Invalid."""
    owner = reach(definition, path[:-1])
    if not path or path[-1] not in LISTS or not isinstance(owner, dict):
        raise Invalid.at("/into", sentence("there is no such list of steps; it was moved or deleted meanwhile"))
    steps = owner.get(str(path[-1]))
    if not isinstance(steps, list):
        steps = owner[str(path[-1])] = []
    return steps


def reach(value: Any, path: tuple[Part, ...]) -> Any:
    for part in path:
        if not _has(value, part):
            return None
        value = value[part]
    return value


def _has(value: Any, part: Part) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and isinstance(part, str) and part in value


def landing(at: str, into: str, position: int) -> tuple[str, int]:
    """The list and the position of a step after a step was moved there from `at`: the gap that it leaves has closed."""
    from_, to = parsed(at), parsed(into)
    behind = to == from_[:-1] and position > int(from_[-1])
    return pointer(_after_removal(from_, to)), position - 1 if behind else position


def outermost(definition: JsonObject, chosen: Sequence[str]) -> list[str]:
    """The selection in order, without what is inside another step of it. Raises Invalid."""
    for at in chosen or [""]:
        step_at(definition, at)
    known = {pointer(parsed(at)) for at in chosen}
    found: list[str] = []
    for at in (pointer(path) for path, _ in actions_in(definition["actions"])):
        if at in known and not (found and at.startswith(f"{found[-1]}/")):
            found.append(at)
    return found


def _after_removal(removed: tuple[Part, ...], path: tuple[Part, ...]) -> tuple[Part, ...]:
    """The path that leads to the same thing once the step at `removed` is gone: what is behind it moves up."""
    depth = len(removed) - 1
    if len(path) <= depth or path[:depth] != removed[:depth]:
        return path
    here, gone = path[depth], removed[depth]
    moves_up = isinstance(here, int) and isinstance(gone, int) and here > gone
    return (*path[:depth], int(here) - 1, *path[depth + 1 :]) if moves_up else path
