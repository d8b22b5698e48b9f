"""What the dashboard's JSON twins answer, as models."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from webapp.api.schemas import ExecutionError, Wire

Status = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]


class ExecutionFound(Wire):
    id: UUID
    workflow_id: UUID
    status: Status
    error: ExecutionError | None
    trigger_type: str | None
    created_at: datetime
    finished_at: datetime | None


class ExecutionsFound(Wire):
    content: list[ExecutionFound]
    newer: str | None = Field(description="Give it as `cursor` to get the page before this one.")
    older: str | None = Field(description="Give it as `cursor` to get the next page.")
    searched_to: datetime | None = Field(description="Set where a search for text gave up; `older` goes on behind it.")


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
    recent_runs: list[RecentRun] = Field(description="The newest 20, oldest first.")


class WorkflowsFound(Wire):
    content: list[WorkflowFound]
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
    lag: list[TopicLag] | None = Field(description="Null while the event bus does not answer.")
    missing: list[str] = Field(description="Consumers that no worker hosts.")


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
