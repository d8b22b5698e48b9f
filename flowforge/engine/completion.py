"""What follows when executions are over: callers get their answers, a place is free for the next in the queue, an error
workflow hears of a failure. The caller owns the transaction in which they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.bus import Message
from flowforge.db import waits_store
from flowforge.engine import answers, intake
from flowforge.engine.announcements import execution_event, wait_messages
from flowforge.engine.answers import Answer
from flowforge.engine.intake import NewEvent
from flowforge.execution.state import Status

ERROR = "error"
"""The trigger type of an execution that was started because another failed."""
AFTER_FAILURE = "afterFailure"
"""Set in `awaited_by` of such an execution, and of all that it calls."""


@dataclass(frozen=True, slots=True)
class EndedExecution:
    """An execution that is over."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    event_id: UUID | None
    trigger_type: str | None
    status: Status
    workflow_name: str = ""
    error: Mapping[str, Any] | None = None
    result: Any = None
    awaited_by: Mapping[str, Any] | None = None
    concurrency_key: str | None = None
    error_workflow: UUID | None = None


@dataclass(slots=True)
class PostCommit:
    """What is to be done after the commit."""

    messages: list[Message] = field(default_factory=list)
    answered: list[UUID] = field(default_factory=list)
    """Events whose callers have an answer now."""
    freed: set[str] = field(default_factory=set)
    """Concurrency keys whose next execution may begin. An orchestrator that is not told finds them itself."""


def follow(connection: Connection, ended: Sequence[EndedExecution], inline_limit: int) -> PostCommit:
    """At most one statement for each kind of thing that follows, however many executions ended."""
    post_commit = PostCommit(
        [execution_event(one.execution_id, one.workflow_id, one.user_id, one.status, error=one.error) for one in ended]
    )
    calls = [called_ended(one) for one in ended if "executionId" in (one.awaited_by or {})]
    if calls:
        post_commit.messages += wait_messages(waits_store.end_waits(connection, calls))
    callers = [(one.event_id, _answer(one)) for one in ended if one.event_id and "caller" in (one.awaited_by or {})]
    if callers:
        post_commit.answered += answers.keep(connection, callers)
    post_commit.freed = {one.concurrency_key for one in ended if one.concurrency_key}
    failures = [_failure_event(one) for one in ended if _is_told_of(one)]
    if failures:
        post_commit.messages += intake.messages(intake.record(connection, failures), inline_limit)
    return post_commit


def called_ended(one: EndedExecution) -> dict[str, Any]:
    """The end of the step that called the workflow, as waits_store.end_waits takes it."""
    caller = one.awaited_by or {}
    succeeded = one.status is Status.COMPLETED
    reason = (one.error or {}).get("message") or "it was cancelled"
    return {
        "execution_id": caller["executionId"],
        "step_index": caller["stepIndex"],
        "iteration": caller["iteration"],
        "attempt": 1,
        "succeeded": succeeded,
        "output": {"executionId": one.execution_id, "result": one.result} if succeeded else None,
        "error": None if succeeded else {"message": f"{_named(one)} did not complete: {reason}", "permanent": True},
    }


def _named(one: EndedExecution) -> str:
    return f"workflow '{one.workflow_name}'" if one.workflow_name else "the workflow that was called"


def _answer(one: EndedExecution) -> Answer:
    """For a caller whom no RESPOND step has answered."""
    caller = (one.awaited_by or {}).get("caller")
    if one.status is not Status.COMPLETED:
        body = {"success": False, "executionId": one.execution_id, "status": one.status, "error": dict(one.error or {})}
        return Answer(500, {}, body)
    if caller == "when finished":
        return Answer(200, {}, one.result)
    return Answer(200, {}, {"success": True, "executionId": one.execution_id, "status": one.status})


def _is_told_of(one: EndedExecution) -> bool:
    """What was started by a failure, itself or through those it calls, tells of no other: or two broken workflows
    would call each other without end."""
    follows = follows_a_failure(one.trigger_type, one.awaited_by)
    return one.status is Status.FAILED and one.error_workflow is not None and not follows


def follows_a_failure(trigger_type: str | None, awaited_by: Mapping[str, Any] | None) -> bool:
    return trigger_type == ERROR or AFTER_FAILURE in (awaited_by or {})


def _failure_event(one: EndedExecution) -> NewEvent:
    assert one.error_workflow is not None
    payload = {
        "error": dict(one.error or {}),
        "execution": {"id": one.execution_id, "triggerType": one.trigger_type},
        "workflow": {"id": one.workflow_id, "name": one.workflow_name},
    }
    metadata = {"source": ERROR, "workflowId": one.workflow_id, "executionId": one.execution_id}
    heard = {AFTER_FAILURE: True}
    return NewEvent(None, one.error_workflow, one.user_id, ERROR, payload, metadata, awaited_by=heard)
