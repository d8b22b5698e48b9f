"""One step of a definition, ready to be compiled although the others may be half written: of them only their places
are kept, so that numbers stay what they are, and the waits that can be resumed, so that their links have names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.language.scope_rules import Written

Action = dict[str, Any]
_KEPT = ("id", "type", "name", "config", "when")
_LONGEST_ID = 64


def alone(definition: Mapping[str, Any], step: Written, longest: float) -> Action:
    """`longest`: seconds it may take at most. What is switched off can be tried, too."""
    return {"actions": _list(definition.get("actions"), step.action, longest)}


def _list(actions: Any, wanted: Action, longest: float) -> list[Action]:
    written = actions if isinstance(actions, list) else []
    return [_action(action, wanted, longest) for action in written if isinstance(action, dict)]


def _action(action: Action, wanted: Action, longest: float) -> Action:
    kept = _whole(action, longest) if action is wanted else _place_of(action)
    branches = action.get("branches")
    if isinstance(branches, list):
        kept["branches"] = [
            _branch(branch, action is wanted) | {"actions": _list(branch.get("actions"), wanted, longest)}
            for branch in branches
            if isinstance(branch, dict)
        ]
    for key in ("else", "actions", "onError"):
        if isinstance(action.get(key), list):
            kept[key] = _list(action[key], wanted, longest)
    return kept


def _whole(action: Action, longest: float) -> Action:
    limit = action.get("timeout")
    usable = isinstance(limit, int | float) and not isinstance(limit, bool) and 0 < limit < longest
    given = {key: action[key] for key in _KEPT if action.get(key) is not None}
    return {**given, "timeout": limit if usable else longest}


def _branch(branch: Action, whole: bool) -> Action:
    return {key: branch[key] for key in ("name", "when") if branch.get(key) is not None} if whole else {}


def _place_of(action: Action) -> Action:
    config, identifier = action.get("config"), action.get("id")
    waits_for = config.get("for") if isinstance(config, dict) and action.get("type") == "WAIT" else None
    usable = isinstance(identifier, str) and identifier.isascii() and identifier.isidentifier()
    if waits_for in ("resume", "approval") and usable and len(str(identifier)) <= _LONGEST_ID:
        return {"type": "WAIT", "id": identifier, "config": {"for": waits_for}}
    return {"type": "ANY"}
