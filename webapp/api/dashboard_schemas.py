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
    current_step: int
    error: ExecutionError | None
    trigger_id: UUID | None
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
