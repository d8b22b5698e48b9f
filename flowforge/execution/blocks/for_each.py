"""FOR_EACH in an execution: a frame for every item, all of them opened at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flowforge.execution.block import Following, FrameBehaviour, Machine
from flowforge.execution.state import EndedFrame, Frame, OpenBlock
from flowforge.jsonio import JsonObject
from flowforge.language.blocks.for_each import ForEachConfig
from flowforge.language.plan import Body, Step

_OUTPUTS_IN_A_LIST = 16
"""A list to go through may be so many times as large as an output: it may come from a payload, which may be larger."""

_ITEMS_SHOWN = 20
"""Items that a preview shows."""


class ForEach(FrameBehaviour):
    """Its output has the result of each item."""

    name = "FOR_EACH"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        config: ForEachConfig = machine.config(frame, step, outputs=_OUTPUTS_IN_A_LIST)
        return machine.open_block(frame, step, config.items, at_once=config.concurrency)

    def intent(self, step: Step, config: ForEachConfig, now: datetime) -> JsonObject:
        return {"count": len(config.items), "items": config.items[:_ITEMS_SHOWN]}

    def body(self, step: Step, frame: Frame) -> Body:
        return step.bodies[0]

    def roots(self, frame: Frame, block: OpenBlock) -> JsonObject:
        return {"item": frame.item, "loop": _loop(frame, block)}

    def position(self, frame: Frame) -> dict[str, int]:
        return {"item": frame.position}

    def result(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock) -> Any:
        return self.evaluated(machine, frame, step, "collect", machine.last_output(frame, self.body(step, frame)))

    def tolerates_failure(self, step: Step) -> bool:
        return bool(step.config.get("onItemError") == "continue")

    def output(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        return {"count": block.total, "failed": block.failed, "results": [item.result for item in ended]}


def _loop(frame: Frame, block: OpenBlock) -> JsonObject:
    loop = {
        "index": frame.position,
        "number": frame.position + 1,
        "count": block.total,
        "first": frame.position == 0,
        "last": frame.position == block.total - 1,
    }
    outer = block.closure.get("loop")
    return loop if outer is None else {**loop, "parent": {**outer, "item": block.closure.get("item")}}


BEHAVIOUR = ForEach()
