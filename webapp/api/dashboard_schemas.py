"""Models of the JSON that the dashboard's API answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, SkipValidation

from flowforge.workflows.listing import WorkflowState
from webapp.api.schemas import ExecutionError
from webapp.wire import Wire, left_out_when_none

Status = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]


def _as_text(position: object) -> str | None:
    return None if position is None else str(position)


Cursor = Annotated[str | None, BeforeValidator(_as_text)]


class ExecutionFound(Wire):
    id: UUID
    workflow_id: UUID
    status: Status
    error: SkipValidation[ExecutionError | None]
    trigger_type: str | None
    created_at: datetime
    finished_at: datetime | None


class ExecutionOrigin(Wire):
    workflow_name: str | None = Field(description="Null where the workflow is gone.")
    shown: str | None = Field(description="The field of the payload that lists show: its first 200 characters.")
    is_test: bool = Field(description="Whether it ran a draft.")
    replay_of: UUID | None
    called_by: UUID | None = Field(description="The execution whose step called the workflow.")
    caller_name: str | None = Field(description="The name of that execution's workflow.")


class ExecutionsFound(Wire):
    content: list[ExecutionFound] = Field(validation_alias="rows")
    newer: Cursor = Field(description="Give it as `cursor` to get the page before this one.")
    older: Cursor = Field(description="Give it as `cursor` to get the next page.")
    searched_to: datetime | None = Field(description="Set where a search gave up; `older` (or `newer`) goes on there.")
    origins: dict[str, ExecutionOrigin] = Field(description="By the id of each execution: what it came from.")


class RecentRun(Wire):
    id: UUID
    status: Status
    created_at: datetime
    finished_at: datetime | None


class WorkflowFound(Wire):
    id: UUID
    name: str
    enabled: bool
    created_at: datetime
    trigger_type: str
    steps: int
    tags: list[str]
    recent_runs: list[RecentRun] = Field(validation_alias="runs", description="The newest 20, oldest first.")
    state: WorkflowState = Field(description="DRAFT: it has never been published; trigger and steps are its draft's.")
    has_draft: bool = Field(description="Whether it has changes that are not published.")
    changed_at: datetime = Field(description="The latest change, of its draft, too.")
    folder: str | None


class WorkflowsFound(Wire):
    content: list[WorkflowFound] = Field(validation_alias="rows")
    after: UUID | None = Field(description="Give it as `after` to get the next page.")


class ScheduledRun(Wire):
    workflow_id: UUID
    trigger_id: UUID
    at: datetime


class LivingWorker(Wire):
    name: str
    jobs: str = Field(description="What it hosts, or the queues it works on.")
    last_heartbeat: datetime | None


class TopicLag(Wire):
    topic: str
    group: str
    waiting: int


class PipelineHealth(Wire):
    workers: list[LivingWorker] | None = Field(description="Null while Redis does not answer.")
    lag: list[TopicLag] | None = Field(validation_alias="lags", description="Null while the event bus does not answer.")
    missing: list[str] = Field(description="Consumers that no worker hosts.")
    bus_problem: str | None = left_out_when_none("Why the event bus carries nothing now.")


class Home(Wire):
    failures: list[ExecutionFound]
    running: list[ExecutionFound]
    running_count: int = Field(description="Counted up to 1,000.")
    next_runs: list[ScheduledRun]
    health: PipelineHealth


class Hour(Wire):
    start: datetime
    completed: int
    failed: int
    cancelled: int


class Throughput(Wire):
    hours: list[Hour] = Field(description="Oldest first; the last one still runs.")
    success_rate: float | None = Field(description="Of what completed or failed; null where nothing did.")


class DeadLetter(Wire):
    id: UUID
    topic: str
    consumer_group: str
    key: str
    reason: str
    value: str = Field(description="Its first 20,000 bytes, as text.")
    size: int
    created_at: datetime


class DeadLetters(Wire):
    content: list[DeadLetter] = Field(validation_alias="letters")
    after: UUID | None = Field(description="Give it as `after` to get the next page.")


class TemplateField(Wire):
    name: str
    label: str
    hint: str
    default: str
    kind: str = Field(description="text, url, mail, or connection: the name of one.")


class Template(Wire):
    name: str
    title: str
    text: str
    fields: list[TemplateField]
    group: str


class MailboxAnswer(Wire):
    source: str = Field(validation_alias="subject", description="user@host:port/folder")
    works: bool
    problem: str | None


class Tags(Wire):
    tags: list[str] = Field(max_length=20, description="Kept in lower case, each once.")


class GuideStep(Wire):
    name: str
    title: str
    done: bool


class Guide(Wire):
    workflow_id: UUID
    steps: list[GuideStep]
    next: str | None = Field(description="The name of the step that comes next; null where all are done.")
