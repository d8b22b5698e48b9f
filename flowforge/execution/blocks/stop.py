"""STOP in an execution: its end."""

from __future__ import annotations

from flowforge.execution.block import BlockBehaviour, Following, Machine
from flowforge.execution.state import Frame, Status
from flowforge.language.blocks.stop import StopConfig
from flowforge.language.plan import Step


class Stop(BlockBehaviour):
    """Nothing follows it, in whatever frame it stands."""

    name = "STOP"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        config: StopConfig = machine.config(frame, step)
        if config.status == "failed":
            machine.end(Status.FAILED, machine.error_of(step, frame, config.message or "stopped"))
            return None
        if config.message is not None:
            frame.record(step.key, {"message": config.message})
        machine.result = config.output
        machine.end(Status.COMPLETED)
        return None


BEHAVIOUR = Stop()
