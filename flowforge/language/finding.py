"""Finding steps by what is written in them: names, types, ids, notes, conditions, and the values of their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.pointers import Part, pointer
from flowforge.language.tree import LISTS, actions_in

TRIGGER = "trigger"
_CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Match:
    """A text in a step, or in the trigger, that has what is looked for. `at`: the step's pointer; of the trigger,
    `trigger`."""

    at: str
    step: JsonObject
    field: tuple[Part, ...]
    """The path of the text in it."""
    text: str


def matches(
    definition: Mapping[str, Any], wanted: str, title: Callable[[str, JsonObject], str], mask: str
) -> Iterator[Match]:
    """The first match in each step, in the order in which they are written; the trigger comes first. Case does not
    count. `title` tells how people call the type of a step, by its pointer and itself; what is a `mask` is passed
    over."""
    folded = wanted.casefold()
    for at, step in _steps(definition):
        texts = [(("type",), title(at, step)), *_texts(_own(step), ())]
        found = ((path, text) for path, text in texts if text != mask and folded in text.casefold())
        yield from (Match(at, step, path, text) for path, text in islice(found, 1))


def _steps(definition: Mapping[str, Any]) -> Iterator[tuple[str, JsonObject]]:
    trigger = definition.get("trigger")
    if isinstance(trigger, dict):
        yield TRIGGER, trigger
    for path, action in actions_in(definition.get("actions")):
        yield pointer(path), action


def _own(step: JsonObject) -> JsonObject:
    """A step without those inside it; its name comes first."""
    name = {"name": step["name"]} if "name" in step else {}
    own = name | {key: value for key, value in step.items() if key not in (*LISTS, "branches")}
    branches = step.get("branches")
    if isinstance(branches, list):
        own["branches"] = [
            {key: value for key, value in branch.items() if key not in LISTS} if isinstance(branch, dict) else branch
            for branch in branches
        ]
    return own


def _texts(value: Any, path: tuple[Part, ...]) -> Iterator[tuple[tuple[Part, ...], str]]:
    """Every text and number with its path, and the names that people write: those of a map in a field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            here = (*path, str(key))
            if path[:1] == (_CONFIG,) and len(path) > 1:
                yield here, str(key)
            yield from _texts(inner, here)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*path, number))
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)
