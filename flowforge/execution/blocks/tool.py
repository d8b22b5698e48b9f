"""TOOL in an execution: a frame for every call of a round, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowforge.execution.block import Following, FrameBehaviour, Machine
from flowforge.execution.state import EndedFrame, Frame, OpenBlock
from flowforge.execution.tool_calls import answer_of, calls_of
from flowforge.jsonio import JsonObject
from flowforge.language.block import ConfigUnusable
from flowforge.language.plan import Body, Step


class Tool(FrameBehaviour):
    """The item of a frame is the arguments of the call."""

    name = "TOOL"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        asking = step.body.first
        if asking is None or not asking.is_offered_tools:
            raise ConfigUnusable("a tool stands behind the step of an AGENT that asks the model")
        calls = calls_of(answer_of(frame, asking), step)
        machine.config(frame, step)
        return machine.open_block(frame, step, [call.get("arguments") for call in calls], at_once=1)

    def body(self, step: Step, frame: Frame) -> Body:
        return step.bodies[0]

    def roots(self, frame: Frame, block: OpenBlock) -> JsonObject:
        return {"arguments": frame.item}

    def position(self, frame: Frame) -> dict[str, int]:
        return {"call": frame.position + 1}

    def result(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock) -> Any:
        return self.evaluated(machine, frame, step, "result", machine.last_output(frame, self.body(step, frame)))

    def tolerates_failure(self, step: Step) -> bool:
        return step.config.get("onCallError") != "fail"

    def output(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        results = [call.result if call.failed else {"result": call.result} for call in ended]
        return {"count": block.total, "failed": block.failed, "results": results}


BEHAVIOUR = Tool()
