"""RUN_WORKFLOW in an execution: a command that starts another one."""

from __future__ import annotations

from flowforge.execution.block import BlockBehaviour, Following, Machine
from flowforge.execution.commands import CallWorkflow
from flowforge.execution.state import Frame
from flowforge.language.blocks.run_workflow import RunWorkflowConfig
from flowforge.language.plan import Step


class RunWorkflow(BlockBehaviour):
    """Its output is what the called workflow gave, or only which execution it is."""

    name = "RUN_WORKFLOW"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        config: RunWorkflowConfig = machine.config(frame, step)
        call = CallWorkflow(step.index, frame.number, config.workflow_id, config.payload, config.wait)
        machine.effects.calls.append(call)
        return None


BEHAVIOUR = RunWorkflow()
