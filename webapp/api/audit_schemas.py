"""The audit log on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from webapp.wire import FreeObject, Wire


class AuditEntry(Wire):
    id: UUID
    occurred_at: datetime
    action: str
    actor_id: UUID | None = Field(description="The account that did it; null: nobody who is known, or the server.")
    actor_name: str | None = Field(description="As it was then.")
    account_id: UUID | None = Field(description="The account that it concerns.")
    account_name: str | None
    subject_id: UUID | None = Field(description="What it was done to: a workflow, a token, ...")
    subject_name: str | None
    address: str | None
    request_id: str | None = Field(description="The X-Request-Id of the answer.")
    via: str | None = Field(
        description="dashboard, API, command line, or the first characters of a personal access token."
    )
    details: FreeObject


class AuditPage(Wire):
    entries: list[AuditEntry]
    after: UUID | None = Field(description="Give it as `after` to get the next page.")
