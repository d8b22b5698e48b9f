"""Answers of webhooks and of the links that resume a wait (contract.md, section 1.4)."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from webapp.wire import Wire


class WebhookAccepted(Wire):
    success: bool
    message: str
    trigger_id: UUID
    event_id: UUID | None = Field(None, description="Absent when ignored.")
    ignored: bool = Field(False, description="True when the trigger is disabled: nothing was started.")


class TestCallAccepted(Wire):
    __test__ = False

    success: bool
    message: str
    execution_id: UUID


class AnswerPending(Wire):
    success: bool
    message: str


class Resumed(Wire):
    success: bool


class WebhookUnknown(Wire):
    success: bool
    error: str
