"""RESPOND in an execution: the first one answers the caller."""

from __future__ import annotations

from flowforge.execution.block import BlockBehaviour, Following, Machine
from flowforge.execution.commands import Respond
from flowforge.execution.state import Frame
from flowforge.language.blocks.respond import RespondConfig, is_sent
from flowforge.language.plan import Step


class RespondBehaviour(BlockBehaviour):
    """Its output is the status of the answer, and the names of headers that it may not send."""

    name = "RESPOND"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        config: RespondConfig = machine.config(frame, step)
        headers = {name: value for name, value in config.headers.items() if is_sent(name)}
        answer = Respond(config.status, headers, config.body)
        machine.effects.response = machine.effects.response or answer
        left_out = [name for name in config.headers if name not in headers]
        frame.record(step.key, {"status": config.status, **({"leftOut": left_out} if left_out else {})})
        return step.body, step.next


BEHAVIOUR = RespondBehaviour()
