"""REPEAT in an execution: a frame for every round, opened when the one before is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flowforge.execution.block import BlockFailed, Following, LoopInTurn, Machine
from flowforge.execution.conditions import holds
from flowforge.execution.state import EndedFrame, Frame, OpenBlock
from flowforge.jsonio import JsonObject
from flowforge.language.block import ConfigUnusable
from flowforge.language.blocks.repeat import RepeatConfig
from flowforge.language.plan import Step


class Repeat(LoopInTurn):
    """The item of a frame is what the round before gave and carried on: `last` and `carry`.

    The block remembers `most` and `delay` and, once there is no further round, whether the condition held (`done`), and
    `last` and `carry` of the last round.
    """

    name = "REPEAT"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        if not step.bodies:
            raise ConfigUnusable("there are no actions to repeat")
        config: RepeatConfig = machine.config(frame, step)
        first = {"last": None, "carry": config.start}
        memory = {"most": config.most, "delay": config.delay, "done": False, **first}
        return machine.open_block(frame, step, [first], at_once=1, reserved=config.most, memory=memory)

    def intent(self, step: Step, config: RepeatConfig, now: datetime) -> JsonObject:
        """Returns the config without what is evaluated after each round, but for the condition."""
        return config.model_dump(by_alias=True, mode="json", exclude={"carry", "collect"})

    def roots(self, frame: Frame, block: OpenBlock) -> JsonObject:
        before = _round_before(frame)
        return {"round": {"number": frame.position + 1, "last": before["last"]}, "carry": before["carry"]}

    def position(self, frame: Frame) -> dict[str, int]:
        return {"round": frame.position + 1}

    def result(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock) -> Any:
        result = self.evaluated(machine, frame, step, "collect", machine.last_output(frame, self.body(step, frame)))
        carried = {"last": result, "carry": self.evaluated(machine, frame, step, "carry")}
        done = holds(machine.value(frame, step, step.config["until"], "config.until"))
        memory = block.memory or {}
        if done or block.total >= memory["most"]:
            block.memory = {**memory, **carried, "done": done}
        else:
            machine.add_frame(block, carried)
        return result

    def advance(self, machine: Machine, block: OpenBlock) -> None:
        delay = (block.memory or {})["delay"]
        if delay and block.begun < block.total:
            machine.begin_frames_later(block, machine.now + timedelta(seconds=delay))
        else:
            machine.begin_frames(block)

    def output(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        memory = block.memory or {}
        if block.ended and not memory["done"] and step.config.get("onMost") != "continue":
            rounds = f"{block.ended:,} round{'' if block.ended == 1 else 's'}"
            raise BlockFailed(f"step '{step.id}': `until` did not hold within {rounds}")
        output = {"count": block.ended, "done": memory["done"], "last": memory["last"], "carry": memory["carry"]}
        return self.with_results(step, output, ended)


def _round_before(frame: Frame) -> Mapping[str, Any]:
    """The frame's item; in a preview it may be unknown, and then each of its parts is."""
    return frame.item if isinstance(frame.item, Mapping) else {"last": frame.item, "carry": frame.item}


BEHAVIOUR = Repeat()
