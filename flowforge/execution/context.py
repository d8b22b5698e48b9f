"""The data a step sees: the context that travels to executors, and the scope of its expressions made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.execution.blocks import frame_behaviour_of
from flowforge.execution.state import ROOT, Frame, OpenBlock
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import INNER_ROOTS
from flowforge.language.bodies import BodyKind
from flowforge.language.plan import Needs, Plan, Step

_FROM_OUTSIDE = ("trigger", "error", *INNER_ROOTS)
"""Roots that what is inside a block takes from around it."""


def step_context(
    plan: Plan, step: Step, frame: Frame, block: OpenBlock | None, trigger: Mapping[str, Any]
) -> JsonObject:
    """`trigger` and `steps`, as contract.md (section 7) has them; inside blocks also the roots that these declare, and
    `error` where one is handled. Inside blocks only what the block's steps refer to is there."""
    if frame.number == ROOT or block is None:
        context: JsonObject = {"trigger": trigger, "steps": frame.outputs}
    else:
        closure = block.closure
        context = {**closure, "steps": {**closure.get("steps", {}), **frame.outputs}}
        owner = plan.step(block.step_index)
        if owner is not None:
            context |= frame_behaviour_of(owner).roots(frame, block)
    error = _handled_error(step, frame)
    return context if error is None else {**context, "error": error}


def scope(plan: Plan, context: Mapping[str, Any], around: Mapping[str, Any]) -> JsonObject:
    """The roots of expressions: the context, outputs also under the steps' own ids, and what is around the execution
    (`workflow`, `execution`, `now`, ...)."""
    return {"trigger": {}, **context, "steps": plan.outputs(context.get("steps") or {}), **around}


def closure(plan: Plan, block: Step, context: Mapping[str, Any]) -> JsonObject:
    """The part of the context that the steps inside the block refer to."""
    needs = plan.needs(block)
    kept = {root: context[root] for root in _FROM_OUTSIDE if root in context and _is_taken(root, needs)}
    outputs = plan.outputs(context["steps"])
    steps = outputs if needs.steps is None else {name: outputs[name] for name in needs.steps if name in outputs}
    return {**kept, "steps": steps}


def _is_taken(root: str, needs: Needs) -> bool:
    made_of_it = (name for name, inner in INNER_ROOTS.items() if root in inner.made_of)
    return needs.takes(root) or any(needs.takes(name) for name in made_of_it)


def _handled_error(step: Step, frame: Frame) -> Any:
    """The error that the innermost handler around the step, in the same frame, is about."""
    body = step.body
    while body.owner is not None and not body.kind.has_frames:
        if body.kind is BodyKind.HANDLER:
            return frame.outputs.get(body.owner.key, {}).get("error")
        body = body.owner.body
    return None
