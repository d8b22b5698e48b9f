"""Actions inside actions, as JSON: for code that treats every action of a stored definition alike, whatever the
shape of an adopted row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.pointers import Part

LISTS = ("else", "actions", "onReject", "onError")
"""The keys of an action under which a list of actions may stand, beside its branches, in the order of their numbers."""


def actions_in(actions: Any, path: tuple[Part, ...] = ("actions",)) -> Iterator[tuple[tuple[Part, ...], JsonObject]]:
    """Every action with its path, in the order in which they are written, each before those inside it."""
    for index, action in enumerate(actions if isinstance(actions, list) else ()):
        if isinstance(action, dict):
            here = (*path, index)
            yield here, action
            for key, inner in lists_in(action):
                yield from actions_in(inner, (*here, *key))


def members_in(actions: Any) -> Iterator[Any]:
    """Every value that stands where an action should, an action or not, in the same order."""
    for member in actions if isinstance(actions, list) else ():
        yield member
        if isinstance(member, dict):
            for _, inner in lists_in(member):
                yield from members_in(inner)


def map_actions(actions: Any, change: Callable[[JsonObject], JsonObject]) -> Any:
    """Return the tree with every action changed, in order; `change` leaves the lists inside alone."""
    if not isinstance(actions, list):
        return actions
    return [_change_action(action, change) if isinstance(action, dict) else action for action in actions]


def _change_action(action: JsonObject, change: Callable[[JsonObject], JsonObject]) -> JsonObject:
    changed = change(action)
    lists: JsonObject = {}
    branches = changed.get("branches")
    if isinstance(branches, list):
        lists["branches"] = [
            {**branch, "actions": map_actions(branch["actions"], change)}
            if isinstance(branch, dict) and "actions" in branch
            else branch
            for branch in branches
        ]
    for key in LISTS:
        if isinstance(changed.get(key), list):
            lists[key] = map_actions(changed[key], change)
    return {**changed, **lists} if lists else changed


def lists_in(action: JsonObject) -> Iterator[tuple[tuple[Part, ...], Any]]:
    """Every value that stands where a list of actions inside an action should, by its path from the action."""
    branches = action.get("branches")
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, dict):
            yield ("branches", number, "actions"), branch.get("actions")
    for key in LISTS:
        yield (key,), action.get(key)
