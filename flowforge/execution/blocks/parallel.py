"""PARALLEL in an execution: a frame for every branch, all of them run at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flowforge.execution.block import Following, FrameBehaviour, Gathered, Machine
from flowforge.execution.state import EndedFrame, Frame, OpenBlock
from flowforge.jsonio import JsonObject
from flowforge.language.plan import Body, Step


class Parallel(FrameBehaviour):
    """The outputs of the steps inside it are those of the frame in which it stands, when it is over."""

    name = "PARALLEL"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        return machine.open_block(frame, step, [None] * len(step.bodies), at_once=len(step.bodies))

    def intent(self, step: Step, config: Any, now: datetime) -> JsonObject:
        return {"branches": [body.name for body in step.bodies]}

    def body(self, step: Step, frame: Frame) -> Body:
        return step.bodies[frame.position]

    def gathered(self, step: Step) -> Gathered:
        return Gathered.OUTPUTS

    def output(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        for lane in ended:
            for key, output in lane.outputs.items():
                frame.record(key, output)
        return {"branches": {step.bodies[lane.position].name: lane.result for lane in ended}}


BEHAVIOUR = Parallel()
