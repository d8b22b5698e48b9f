"""RUN_WORKFLOW: starts another workflow, and waits for its end."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from flowforge.jsonio import JsonObject
from flowforge.language.block import Block, BlockConfig


class RunWorkflowConfig(BlockConfig):
    """The workflow to run, and its payload."""

    workflow_id: UUID = Field(title="Workflow", description="The id of the workflow to run")
    payload: JsonObject = Field(default_factory=dict, title="Payload", description="Available there as `trigger`")
    wait: bool = Field(True, title="Wait for completion", description="Then its result is this step's output")


BLOCK = Block(
    "RUN_WORKFLOW",
    RunWorkflowConfig,
    title="Run a workflow",
    help="Starts another workflow and uses its result",
    icon="workflows",
    keywords=("call", "subworkflow"),
    output={"executionId": "the execution it started", "result": "what that gave, where its end is waited for"},
    workflow_field="workflowId",
)
