"""BRANCH in an execution: it takes one of its branches, in its own frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.execution.block import BlockBehaviour, Following, Machine
from flowforge.execution.conditions import holds
from flowforge.execution.state import Frame
from flowforge.language.plan import Body, Step


class Branch(BlockBehaviour):
    """Its output names the branch that was taken."""

    name = "BRANCH"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        for number, body in enumerate(step.bodies):
            if body.when is None or holds(machine.value(frame, step, body.when, f"branches[{number}].when")):
                frame.record(step.key, {"branch": body.name})
                return body, body.first
        frame.record(step.key, {"branch": None})
        return step.body, step.next

    def body_taken(self, step: Step, output: Mapping[str, Any]) -> Body | None:
        return next((body for body in step.bodies if body.name == output.get("branch")), None)


BEHAVIOUR = Branch()
