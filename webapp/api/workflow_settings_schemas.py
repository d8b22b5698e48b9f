"""What an account sets for all its workflows, on the wire."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from webapp.wire import Wire


class ErrorWorkflow(Wire):
    workflow_id: UUID | None = Field(None, description="Null: failures start nothing.")
