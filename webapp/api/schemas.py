"""Models of the JSON on the wire: the OpenAPI document is made from them, and a test holds the answers to them.

Requests are read by the operations and the workflow language, which know more than a schema can say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import ConfigDict, Field, SkipValidation, WithJsonSchema

from flowforge.execution.state import Status
from flowforge.jsonio import JsonObject
from flowforge.language.definition import MAX_ACTIONS, ActionDefinition, Name, TriggerDefinition
from flowforge.triggers.kinds import registered_types, trigger_kinds
from flowforge.triggers.renewals import MOST_MINUTES, USUAL_MINUTES
from webapp.wire import FreeObject, Wire, left_out_when_none

Item = TypeVar("Item", bound=Wire)
TriggerType = Annotated[str, WithJsonSchema({"enum": registered_types(), "type": "string"})]


class ErrorDetail(Wire):
    pointer: str = Field(description="JSON pointer to the field; empty: the whole body.")
    message: str


class Error(Wire):
    timestamp: datetime
    status: int
    status_code: int = Field(description="The same number as `status`.")
    error: str
    message: str
    path: str
    details: list[ErrorDetail] = Field([], description="For validation: one entry for each problem.")


# -- workflows


class WorkflowChange(Wire):
    """Changes to a workflow: omitted fields are kept, and so is a secret that is sent back masked (`********`)."""

    name: Name | None = Field(None, description="What people call it.")
    enabled: bool | None = Field(None, description="On unless it says otherwise.")
    trigger: TriggerDefinition | None = Field(None, description="Registers itself when the workflow is saved.")
    actions: list[ActionDefinition] | None = Field(None, max_length=MAX_ACTIONS, description="Run one after another.")
    note: str | None = Field(None, max_length=500, description="What people say about the version that is saved.")


class WorkflowRequest(WorkflowChange):
    """A workflow as it is written."""

    name: Name = Field(description="What people call it.")


class WorkflowPart(Wire):
    """A trigger or an action: the keys it was written with, secrets masked."""

    model_config = ConfigDict(extra="allow")

    type: str
    config: FreeObject | None = None


class Workflow(Wire):
    id: UUID
    name: str
    user_id: UUID
    enabled: bool
    trigger: SkipValidation[WorkflowPart | None]
    actions: SkipValidation[list[WorkflowPart]]
    created_at: datetime
    updated_at: datetime
    version_id: UUID | None
    settings: FreeObject | None = None
    key: str | None = Field(None, description="The owner's own name for it, the same on every server.")
    warnings: list[ErrorDetail] | None = left_out_when_none(
        "What is written and has no effect, if anything: keys that are not known."
    )


class WorkflowSummary(Wire):
    id: UUID
    name: str
    enabled: bool
    created_at: datetime


class WorkflowVersion(Wire):
    id: UUID
    workflow_id: UUID
    number: int | None = Field(description="null: a draft that was run and never published.")
    name: str
    trigger: SkipValidation[WorkflowPart | None]
    actions: SkipValidation[list[WorkflowPart]]
    settings: FreeObject | None = None
    created_at: datetime
    created_by: UUID | None
    note: str | None


class Started(Wire):
    execution_id: UUID
    event_id: UUID


# -- triggers


class TriggerChange(Wire):
    """Changes to a trigger: omitted fields are kept; its type and workflow never change."""

    configuration: JsonObject | None = Field(
        None,
        description="; ".join(
            f"{type_}: " + ", ".join(f"`{key}`" for key in kind.config_schema()["properties"])
            for type_, kind in trigger_kinds().items()
            if kind.is_registered
        ),
    )
    enabled: bool | None = Field(None, description="On unless it says otherwise.")


class TriggerRequest(TriggerChange):
    """A trigger for a workflow. It takes over the one that the workflow's own `trigger` made."""

    workflow_id: UUID
    trigger_type: TriggerType = Field(description="In any case.")


class TriggerRenewal(Wire):
    """Another address for a trigger."""

    overlap_minutes: int | None = Field(
        USUAL_MINUTES, ge=0, le=MOST_MINUTES, description="The time for which the former address goes on."
    )


class TriggerHealth(Wire):
    last_triggered_at: datetime | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None


class Trigger(Wire):
    id: UUID
    workflow_id: UUID
    user_id: UUID
    trigger_type: str
    configuration: FreeObject
    enabled: bool
    webhook_url: str | None
    webhook_token: str | None
    created_at: datetime
    updated_at: datetime
    managed: bool = Field(description="Whether the workflow's own `trigger` made it.")
    next_fire_times: list[datetime] = Field(description="The next five, of a schedule.")
    health: TriggerHealth
    warnings: list[ErrorDetail] | None = left_out_when_none(
        "What stands in the configuration and has no effect, if anything: keys that are not known."
    )


# -- executions


class ExecutionError(Wire):
    model_config = ConfigDict(extra="allow")

    message: str


class Execution(Wire):
    id: UUID
    workflow_id: UUID
    user_id: UUID
    status: Status
    current_step: int
    trigger_payload: SkipValidation[JsonObject | None]
    step_outputs: SkipValidation[JsonObject | None]
    created_at: datetime
    updated_at: datetime
    error: SkipValidation[ExecutionError | None]
    event_id: UUID | None
    trigger_id: UUID | None
    trigger_type: str | None
    version_id: UUID | None
    finished_at: datetime | None
    result: Any = Field(None, description="Of a completed execution: what a workflow that called it gets.")
    parent_execution_id: UUID | None = Field(None, description="The execution whose RUN_WORKFLOW step started it.")
    replay_of: UUID | None = Field(None, description="The execution it does again.")


class WaitingCallers(Wire):
    for_: SkipValidation[str] = Field(
        validation_alias="kind", serialization_alias="for", description="time, resume, approval, workflow or continue"
    )
    message: str | None


class Block(Wire):
    frame: int = Field(description="The frame in which the block stands; 0: the workflow's own list.")
    step_index: int
    total: int
    begun: int
    ended: int
    failed: int
    error: SkipValidation[ExecutionError | None]


class Frame(Wire):
    number: int = Field(description="`iteration` of the steps inside.")
    block_frame: int
    block_step: int
    position: int = Field(description="Of the item in its list, or of the branch.")
    status: Literal["WAITING", "RUNNING", "COMPLETED", "FAILED"]
    current_step: int
    item: Any
    outputs: SkipValidation[JsonObject | None]
    result: Any
    error: SkipValidation[ExecutionError | None]


class OpenWait(Wire):
    step_index: int
    iteration: int
    for_: Literal["resume", "approval"] = Field(validation_alias="kind", serialization_alias="for")
    message: str | None
    due_at: datetime
    url: str = Field(description="The link that resumes it.")


class Attempt(Wire):
    step_index: int
    iteration: int
    attempt: int
    state: Literal["QUEUED", "RUNNING", "WAITING", "ENDED", "APPLIED"]
    succeeded: bool | None
    error: SkipValidation[ExecutionError | None]
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    waiting: WaitingCallers | None = None


class Replay(Wire):
    id: UUID
    status: Status
    created_at: datetime


_OMITTED = Field(
    description="The keys of outputs that were left out: with them the answer would be larger than 8 MB."
    " /api/v1/executions/{id}/outputs/{key} has each."
)


class WholeExecution(Execution):
    omitted_outputs: list[str] = _OMITTED


class StepOutput(Wire):
    key: str = Field(description="As in stepOutputs.")
    frame: int = Field(description="0: the workflow's own list.")
    output: Any


class ExecutionWithAttempts(WholeExecution):
    attempts: list[Attempt] = Field(description="Of the steps in the workflow's own list.")
    blocks: list[Block] = Field([], description="The blocks in it that were opened.")
    replays: list[Replay] = Field([], description="The executions that did it again, newest first; 50 at most.")


class ReplayRequest(Wire):
    from_: str | int = Field("start", alias="from", description="start, failed, or the id or number of a step.")
    version: Literal["same", "latest"] = Field("same", description="The definition that ran, or the newest one.")
    payload: JsonObject | None = Field(None, description="Instead of the payload it had.")


class ReplaysRequest(Wire):
    workflow_id: UUID | None = Field(None, description="Only this workflow's.")
    status: Literal["FAILED", "CANCELLED", "COMPLETED"] = Field("FAILED", description="How they ended.")
    since: datetime | None = Field(None, description="Created then or later.")
    until: datetime | None = Field(None, description="Created before.")
    from_: Literal["start", "failed"] = Field("failed", alias="from", description="Where each begins.")
    version: Literal["same", "latest"] = "latest"
    limit: int = Field(100, ge=1, le=1000, description="The newest ones.")


class Replayed(Started):
    replay_of: UUID


class ReplaySkipped(Wire):
    execution_id: UUID
    why: str


class ReplayedAll(Wire):
    count: int
    replayed: list[Replayed]
    skipped: list[ReplaySkipped] = Field(description="Those whose step is not there any more.")


class ListedFrame(Frame):
    truncated: bool = Field(
        description="Whether outputs and result were left out (null): with them the answer would be larger than 8 MB."
        " The frame itself has them."
    )


class FrameWithAttempts(Frame):
    omitted_outputs: list[str] = _OMITTED
    attempts: list[Attempt]
    blocks: list[Block]


# -- logs and connectors


class LogEntry(Wire):
    id: str
    user_id: UUID | None
    workflow_id: UUID | None
    execution_id: UUID | None
    event_id: UUID | None
    event_type: str
    status: str
    data: SkipValidation[JsonObject | None]
    timestamp: datetime


class Connector(Wire):
    type: str
    title: str
    help: str
    icon: str
    repeatable: bool
    connection: str | None = Field(description="The type of connection it takes.")
    config: FreeObject = Field(description="JSON schema of an action's `config`.")
    keywords: list[str] = Field(description="Other words under which people look for it.")
    connections: list[str] = Field(description="All types of connections it takes.")


class BlockType(Wire):
    type: str
    title: str
    help: str
    icon: str
    bodies: Literal["branches", "lanes", "actions", "none"] = Field(description="Which lists of actions it holds.")
    config: FreeObject = Field(description="JSON schema of the block's `config`.")


class Plugins(Wire):
    supported_action_types: list[str]
    connectors: list[Connector]
    blocks: list[BlockType] = Field(description="The steps that the engine itself carries out.")
    disabled: dict[str, str] = Field(description="Connectors that could not be loaded, with the reason.")


# -- pages


class PageSort(Wire):
    empty: bool
    sorted: bool
    unsorted: bool


class Pageable(Wire):
    page_number: int
    page_size: int
    offset: int
    paged: bool
    unpaged: bool
    sort: PageSort


class Page(Wire, Generic[Item]):
    content: list[Item]
    number: int
    size: int
    total_elements: int = Field(description="Counted up to 10,000.")
    total_pages: int
    first: bool
    last: bool
    empty: bool
    number_of_elements: int
    sort: PageSort
    pageable: Pageable


class ListedExecution(Execution):
    truncated: bool = Field(
        description="Whether triggerPayload, stepOutputs and result were left out (null): with them the page would be"
        " larger than 8 MB. The execution itself has them."
    )


class ExecutionPage(Page[ListedExecution]):
    pass


class ListedLogEntry(LogEntry):
    truncated: bool = Field(
        description="Whether data were left out (null): with them the page would be larger than 8 MB. A page of a"
        " smaller `size` has them."
    )


class LogPage(Page[ListedLogEntry]):
    pass
