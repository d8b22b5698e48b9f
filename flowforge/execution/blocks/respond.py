"""RESPOND in an execution: the first one answers the caller."""

from __future__ import annotations

from flowforge.execution.block import BlockBehaviour, Following, Machine
from flowforge.execution.commands import Respond
from flowforge.execution.state import Frame
from flowforge.language.blocks.respond import RespondConfig
from flowforge.language.plan import Step


class RespondBehaviour(BlockBehaviour):
    """Its output is the status of the answer."""

    name = "RESPOND"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        config: RespondConfig = machine.config(frame, step)
        answer = Respond(config.status, config.headers, config.body)
        machine.effects.response = machine.effects.response or answer
        frame.record(step.key, {"status": config.status})
        return step.body, step.next


BEHAVIOUR = RespondBehaviour()
