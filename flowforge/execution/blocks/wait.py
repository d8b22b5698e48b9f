"""WAIT in an execution: a command that ends by its time, by a call, or by a person's decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flowforge.execution.block import BlockBehaviour, Following, Machine
from flowforge.execution.commands import Wait
from flowforge.execution.state import Frame
from flowforge.jsonio import JsonObject
from flowforge.language.blocks.wait import WaitConfig
from flowforge.language.decisions import read_decision
from flowforge.language.plan import Body, OnError, Step

LONGEST_UNSET = timedelta(days=30)
"""Default limit of a wait for a call or a person."""


class WaitBehaviour(BlockBehaviour):
    """Its output is what the call or the person brought along."""

    name = "WAIT"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        config: WaitConfig = machine.config(frame, step)
        machine.effects.waits.append(_wait(step.index, frame.number, config, machine.now))
        return None

    def leave(self, machine: Machine, frame: Frame, step: Step) -> Following:
        """What was to be approved is not done where it was refused, unless the step says otherwise."""
        decision = read_decision(frame.outputs[step.key])
        if decision is None or decision.approved or step.on_reject is OnError.CONTINUE:
            return step.body, step.next
        if step.rejection is not None:
            return step.rejection, step.rejection.first
        return machine.reject(frame, step, str(decision))

    def body_taken(self, step: Step, output: Mapping[str, Any]) -> Body | None:
        decision = read_decision(output)
        return None if decision is None or decision.approved else step.rejection

    def intent(self, step: Step, config: WaitConfig, now: datetime) -> JsonObject:
        if config.for_ is None:
            return {"until": config.ends(now)}
        until = gives_up_at(config, now)
        return {"for": config.for_, "message": config.message, "until": until, "onTimeout": config.on_timeout}


def gives_up_at(config: WaitConfig, now: datetime) -> datetime:
    """The latest end of a wait for a call or a person that begins now."""
    return now + (LONGEST_UNSET if config.timeout is None else timedelta(seconds=config.timeout))


def _wait(step_index: int, frame: int, config: WaitConfig, now: datetime) -> Wait:
    if config.for_ is None:
        return Wait(step_index, frame, config.ends(now))
    fails = config.on_timeout == "fail"
    due = gives_up_at(config, now)
    return Wait(step_index, frame, due, config.for_, fails_when_due=fails, message=config.message)


BEHAVIOUR = WaitBehaviour()
