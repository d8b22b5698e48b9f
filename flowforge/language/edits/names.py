"""Ids of steps: unused ones, and expressions that follow when an id changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.tree import actions_in, map_actions

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_REFERENCE = re.compile(r"\b(steps|resume)(?:\.([\w-]+)|\[\s*(['\"])(.*?)\3\s*\])")


def make_fresh_id(base: str, taken: Set[str]) -> str:
    """`call`, else `call_2`, `call_3`, ..."""
    if base not in taken:
        return base
    stem = re.sub(r"_\d+$", "", base) or base
    number = 2
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def ids_in(actions: Any) -> set[str]:
    return {str(action["id"]) for _, action in actions_in(actions) if action.get("id") is not None}


def with_own_ids(actions: Sequence[JsonObject], taken: Set[str]) -> list[JsonObject]:
    """The actions with each id that is taken, or that another of them has, replaced by an unused one; expressions in
    them follow."""
    used, avoided, names = set(taken), set(taken) | ids_in(list(actions)), dict[str, str]()

    def renamed(action: JsonObject) -> JsonObject:
        identifier = action.get("id")
        if not isinstance(identifier, str):
            return action
        own = make_fresh_id(identifier, avoided) if identifier in used else identifier
        if identifier in taken:
            names.setdefault(identifier, own)
        used.add(own)
        avoided.add(own)
        return {**action, "id": own}

    return list(rename_references(map_actions(list(actions), renamed), names))


def rename_references(actions: Any, names: Mapping[str, str]) -> Any:
    """Replace every `steps.before` and `resume.before` inside expressions; `names`: the new id by the old one."""

    def renamed(use: re.Match[str]) -> str:
        after = names.get(use[2] or use[4])
        return use[0] if after is None else f"{use[1]}.{after}"

    def in_expression(match: re.Match[str]) -> str:
        return _REFERENCE.sub(renamed, match[0])

    return _map_texts(actions, lambda text: _EXPRESSION.sub(in_expression, text)) if names else actions


def _map_texts(value: Any, transform: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return transform(value)
    if isinstance(value, list):
        return [_map_texts(inner, transform) for inner in value]
    if isinstance(value, dict):
        return {key: _map_texts(inner, transform) for key, inner in value.items()}
    return value
