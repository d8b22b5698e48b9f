"""What a step sees: the context that travels to executors, and the scope of its expressions made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.execution.state import ROOT, Frame, OpenBlock
from flowforge.language.plan import BodyKind, Needs, Plan, Step

_HANDED_IN = ("trigger", "item", "loop", "error")


def step_context(
    plan: Plan, step: Step, frame: Frame, block: OpenBlock | None, trigger: Mapping[str, Any]
) -> dict[str, Any]:
    """`trigger` and `steps`, as contract.md (section 7) has them; inside blocks also `item` and `loop`, and `error`
    where one is handled. Inside blocks only what the block's steps refer to is there."""
    if frame.number == ROOT or block is None:
        context: dict[str, Any] = {"trigger": trigger, "steps": frame.outputs}
    else:
        closure = block.closure
        context = {**closure, "steps": {**closure.get("steps", {}), **frame.outputs}}
        if _is_item(plan, block):
            context["loop"] = _loop(frame, block)
            context["item"] = frame.item
    error = _handled_error(step, frame)
    return context if error is None else {**context, "error": error}


def scope(plan: Plan, context: Mapping[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    """The roots of expressions: the context, outputs also under the steps' own ids, and what is around the execution
    (`workflow`, `execution`, `now`, ...)."""
    return {"trigger": {}, **context, "steps": plan.outputs(context.get("steps") or {}), **around}


def closure(plan: Plan, block: Step, context: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the context that the steps inside the block refer to."""
    needs = plan.needs(block)
    kept = {root: context[root] for root in _HANDED_IN if root in context and _is_taken(root, needs)}
    outputs = plan.outputs(context["steps"])
    steps = outputs if needs.steps is None else {name: outputs[name] for name in needs.steps if name in outputs}
    return {**kept, "steps": steps}


def _is_taken(root: str, needs: Needs) -> bool:
    return needs.takes(root) or (root == "item" and needs.takes("loop"))  # for `loop.parent.item`


def _is_item(plan: Plan, block: OpenBlock) -> bool:
    step = plan.step(block.step_index)
    return step is not None and step.bodies[0].kind is BodyKind.ITEM


def _loop(frame: Frame, block: OpenBlock) -> dict[str, Any]:
    loop = {
        "index": frame.position,
        "number": frame.position + 1,
        "count": block.total,
        "first": frame.position == 0,
        "last": frame.position == block.total - 1,
    }
    outer = block.closure.get("loop")
    return loop if outer is None else {**loop, "parent": {**outer, "item": block.closure.get("item")}}


def _handled_error(step: Step, frame: Frame) -> Any:
    """The error that the innermost handler around the step, in the same frame, is about."""
    body = step.body
    while body.owner is not None and not body.kind.has_frames:
        if body.kind is BodyKind.HANDLER:
            return frame.outputs.get(body.owner.key, {}).get("error")
        body = body.owner.body
    return None
