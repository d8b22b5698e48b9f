"""Edits of the branches of a block."""

from __future__ import annotations

from typing import Any

from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.language.edits.places import step_at
from flowforge.language.edits.steps import change
from flowforge.sentences import sentence


def add_branch(definition: JsonObject, at: str) -> JsonObject:
    """Add a branch to a block that has branches. Raises Invalid."""
    step = step_at(definition, at)
    branches = _branches(step)
    names = {branch.get("name") for branch in branches if isinstance(branch, dict)}
    number = next(n for n in range(len(branches) + 1, len(branches) + len(names) + 2) if f"branch {n}" not in names)
    more: JsonObject = {"name": f"branch {number}", "actions": []}
    block = BLOCKS.get(str(step.get("type")).upper())
    if block is not None and block.bodies.has_conditions:
        more["when"] = ""
    return change(definition, at, {"branches": [*branches, more]})


def remove_branch(definition: JsonObject, at: str, number: int) -> JsonObject:
    """Remove a branch with the steps inside it. Raises Invalid."""
    branches = _branches_with(definition, at, number)
    return change(definition, at, {"branches": [*branches[:number], *branches[number + 1 :]]})


def rename_branch(definition: JsonObject, at: str, number: int, name: str) -> JsonObject:
    """Raises Invalid."""
    branches = _branches_with(definition, at, number)
    branches[number] = {**branches[number], "name": name}
    return change(definition, at, {"branches": branches})


def move_branch(definition: JsonObject, at: str, number: int, to: int) -> JsonObject:
    """Move a branch before the one that has that number without it; the first whose condition holds is taken, so the
    order counts. Raises Invalid."""
    branches = _branches_with(definition, at, number)
    moved = branches.pop(number)
    branches.insert(min(max(to, 0), len(branches)), moved)
    return change(definition, at, {"branches": branches})


def _branches_with(definition: JsonObject, at: str, number: int) -> list[Any]:
    """A copy of the branches, of which the one with that number is there. Raises Invalid."""
    branches = _branches(step_at(definition, at))
    if not 0 <= number < len(branches) or not isinstance(branches[number], dict):
        raise Invalid.at("/number", sentence("there is no such branch"))
    return list(branches)


def _branches(step: JsonObject) -> list[Any]:
    branches = step.get("branches")
    if not isinstance(branches, list):
        raise Invalid.at("/at", sentence("this step has no branches"))
    return branches
