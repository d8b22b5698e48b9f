"""Validation of an action's shape against its type: its bodies and, of a block, its config as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from flowforge.errors import Problem
from flowforge.language.block import Block
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import Bodies, default_branch_name
from flowforge.language.definition import ActionDefinition
from flowforge.language.expressions.template import holds_expression
from flowforge.language.locations import Location
from flowforge.language.pointers import Part, pointer
from flowforge.language.repair import UNREAD
from flowforge.language.wording import located
from flowforge.sentences import sentence

Flaw = tuple[tuple[Part, ...], str]
"""The path from the action, and what is wrong there."""


def problems_of_block(action: ActionDefinition, path: tuple[Part, ...]) -> list[Problem]:
    """The problems of an action at that path, a block or not; expressions are not looked into."""
    if action.type == UNREAD:
        return []
    return [Problem(pointer((*path, *at)), message) for at, message in _flaws(action, BLOCKS.get(action.type))]


def problem_of_place(step: Location) -> Problem | None:
    """The problem of an action that has no meaning where it stands."""
    block = BLOCKS.get(step.type)
    if block is None or not block.is_tool:
        return None
    if not _is_offered_tools(step):
        return Problem(
            pointer(step.path),
            sentence("%(type)s stands among the actions of an AGENT, whose model may call it", type=block.type),
        )
    if step.path[-1] == 0:
        return Problem(
            pointer(step.path), sentence("%(type)s stands behind the action that asks the model", type=block.type)
        )
    return None


def _is_offered_tools(step: Location) -> bool:
    """Whether the list in which the action stands is that of a block that offers tools."""
    owner = BLOCKS.get(step.enclosures[-1].owner.type) if step.enclosures else None
    return owner is not None and owner.loop is not None and owner.loop.offers_tools


def _flaws(action: ActionDefinition, block: Block[Any] | None) -> Iterator[Flaw]:
    yield from _flaws_of_bodies(action, block.bodies if block else Bodies.NONE)
    yield from _flaws_of_names(action)
    if action.on_reject is not None and not (block and block.can_be_rejected(action.config or {})):
        yield ("onReject",), sentence("has a meaning only where a WAIT is for an approval")
    if block is None:
        return
    if action.retry is not None:
        yield ("retry",), sentence("%(type)s cannot be tried again; give the actions a retry", type=block.type)
    if action.timeout is not None:
        yield (
            ("timeout",),
            sentence(
                "%(type)s has no time limit of its own; the workflow's settings and actions have", type=block.type
            ),
        )
    if action.after_crash is not None:
        yield ("afterCrash",), sentence("%(type)s calls nobody; the actions have an afterCrash", type=block.type)
    yield from _flaws_of_config(action.config or {}, block)


def _flaws_of_bodies(action: ActionDefinition, bodies: Bodies) -> Iterator[Flaw]:
    if action.branches is not None and not bodies.has_branches:
        yield ("branches",), sentence("%(type)s has no branches", type=action.type)
    if action.otherwise is not None and not bodies.has_conditions:
        yield ("else",), sentence("%(type)s has no else", type=action.type)
    if action.actions is not None and bodies is not Bodies.ACTIONS:
        yield ("actions",), sentence("%(type)s holds no actions", type=action.type)
    if bodies.has_branches:
        yield from _flaws_of_branches(action, bodies)


def _flaws_of_branches(action: ActionDefinition, bodies: Bodies) -> Iterator[Flaw]:
    if not action.branches:
        yield ("branches",), sentence("is required, with at least one branch")
    for number, branch in enumerate(action.branches or ()):
        if bodies.has_conditions and branch.when is None:
            yield ("branches", number, "when"), sentence("is required: the condition of the branch")
        if not bodies.has_conditions and branch.when is not None:
            yield (
                ("branches", number, "when"),
                sentence("has no meaning: all branches of %(type)s are gone", type=action.type),
            )


def _flaws_of_names(action: ActionDefinition) -> Iterator[Flaw]:
    """The output of a block calls its branches by name, so that no two may share one."""
    seen: set[str] = {"else"} if action.otherwise is not None else set()
    for number, branch in enumerate(action.branches or ()):
        name = branch.name or default_branch_name(number)
        if name in seen:
            yield ("branches", number, "name"), sentence("'%(name)s' is the name of another branch already", name=name)
        seen.add(name)


def _flaws_of_config(config: Mapping[str, Any], block: Block[Any]) -> Iterator[Flaw]:
    try:
        block.config.model_validate(config)
    except ValidationError as error:
        for at, message in located(error):
            name = str(at[0]) if at else ""
            if not holds_expression(config.get(name)):
                yield ("config", *at), message
            elif name in block.config.literal:
                yield (
                    ("config", *at),
                    sentence("takes no expression: %(name)s %(message)s", name=name, message=message),
                )
