"""Completing executions that are over: callers get their answers, a concurrency slot is free for the next execution,
an error workflow is started. The caller owns the transaction in which they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flowforge.bus import Message
from flowforge.db import error_workflows_store, waits_store
from flowforge.db.ending_store import EndedExecution
from flowforge.db.engine import Connection
from flowforge.db.events_store import NewEvent
from flowforge.engine import answers, intake
from flowforge.engine.announcements import execution_event, wait_messages
from flowforge.engine.answers import Answer
from flowforge.engine.passed_files import pass_on_to_callers
from flowforge.engine.workflow_calls import ended_call, is_call, refused_call
from flowforge.execution.state import Status

ERROR = "error"
"""The trigger type of an execution that was started because another failed."""
AFTER_FAILURE = "afterFailure"
"""Set in `awaited_by` of such an execution, and of all that it calls."""
_FAILED = "the workflow has failed; its owner finds the reason in the dashboard, by the execution's id"
_REFUSED = "no execution could be started; the workflow's owner finds the reason in the dashboard"
"""Texts for callers, who are anybody. The errors themselves tell of steps, hosts and data behind the workflow."""


@dataclass(slots=True)
class PostCommit:
    """The work that is left to be done once a transaction is committed."""

    messages: list[Message] = field(default_factory=list)
    answered: list[UUID] = field(default_factory=list)
    """Events whose callers have an answer now."""
    freed: set[str] = field(default_factory=set)
    """Concurrency keys that have a free slot. A process that loses this finds them by looking."""

    def add(self, other: PostCommit) -> None:
        self.messages += other.messages
        self.answered += other.answered
        self.freed |= other.freed


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that leads to no execution."""

    event_id: UUID
    awaited_by: Mapping[str, Any] | None
    reason: str


def complete(connection: Connection, ended: Sequence[EndedExecution], inline_limit: int) -> PostCommit:
    """Does what follows from the ends, in at most one statement of each kind, however many executions ended."""
    if not ended:
        return PostCommit()
    messages = [_end_event(execution) for execution in ended]
    messages += _end_calls(connection, ended)
    messages += _start_error_workflows(connection, ended, inline_limit)
    freed = {execution.concurrency_key for execution in ended if execution.concurrency_key}
    return PostCommit(messages, _answer_callers(connection, ended), freed)


def refuse(connection: Connection, refused: Sequence[RefusedEvent]) -> PostCommit:
    """Ends the calls and answers the callers that wait for events which lead to no execution."""
    post_commit = PostCommit()
    calls = [
        refused_call(event.awaited_by, event.reason)
        for event in refused
        if event.awaited_by and is_call(event.awaited_by)
    ]
    if calls:
        post_commit.messages += wait_messages(waits_store.end_waits(connection, calls))
    callers = [(event.event_id, _refusal(event.event_id)) for event in refused if "caller" in (event.awaited_by or {})]
    if callers:
        post_commit.answered += answers.keep(connection, callers)
    return post_commit


def follows_a_failure(trigger_type: str | None, awaited_by: Mapping[str, Any] | None) -> bool:
    """Whether an execution was started by a failure, itself or through executions that have called it."""
    return trigger_type == ERROR or AFTER_FAILURE in (awaited_by or {})


def _end_event(ended: EndedExecution) -> Message:
    return execution_event(ended.execution_id, ended.workflow_id, ended.user_id, ended.status, error=ended.error)


def _end_calls(connection: Connection, ended: Sequence[EndedExecution]) -> list[Message]:
    called = [execution for execution in ended if is_call(execution.awaited_by)]
    if not called:
        return []
    pass_on_to_callers(connection, called)
    return wait_messages(waits_store.end_waits(connection, [ended_call(execution) for execution in called]))


def _answer_callers(connection: Connection, ended: Sequence[EndedExecution]) -> list[UUID]:
    """Returns the events whose callers no RESPOND step has answered."""
    callers = [
        (execution.event_id, _answer(execution))
        for execution in ended
        if execution.event_id and "caller" in (execution.awaited_by or {})
    ]
    return answers.keep(connection, callers) if callers else []


def _start_error_workflows(connection: Connection, ended: Sequence[EndedExecution], inline_limit: int) -> list[Message]:
    failed = [execution for execution in ended if _starts_error_workflow(execution)]
    of_accounts = _error_workflows_of_accounts(connection, failed)
    started = [(execution, execution.error_workflow or of_accounts.get(execution.user_id)) for execution in failed]
    failures = [
        _failure_event(execution, workflow_id)
        for execution, workflow_id in started
        if workflow_id is not None and (execution.error_workflow is not None or workflow_id != execution.workflow_id)
    ]
    return intake.messages(intake.record(connection, failures), inline_limit)


def _error_workflows_of_accounts(connection: Connection, failed: Sequence[EndedExecution]) -> Mapping[UUID, UUID]:
    """By account, as far as they are needed."""
    without = {execution.user_id for execution in failed if execution.error_workflow is None}
    return error_workflows_store.of_accounts(connection, without) if without else {}


def _answer(ended: EndedExecution) -> Answer:
    outcome = {"executionId": ended.execution_id, "status": ended.status}
    if ended.status is not Status.COMPLETED:
        return Answer(500, {}, {"success": False, **outcome, "error": _FAILED})
    if (ended.awaited_by or {}).get("caller") == "when finished":
        return Answer(200, {}, ended.result)
    return Answer(200, {}, {"success": True, **outcome})


def _refusal(event_id: UUID) -> Answer:
    return Answer(409, {}, {"success": False, "eventId": event_id, "error": _REFUSED})


def _starts_error_workflow(ended: EndedExecution) -> bool:
    """Whether the failure starts a workflow, if there is one for it. One that follows another does not: two broken
    workflows would start each other without end."""
    follows = follows_a_failure(ended.trigger_type, ended.awaited_by)
    return ended.status is Status.FAILED and not follows


def _failure_event(ended: EndedExecution, error_workflow: UUID) -> NewEvent:
    payload = {
        "error": dict(ended.error or {}),
        "execution": {"id": ended.execution_id, "triggerType": ended.trigger_type},
        "workflow": {"id": ended.workflow_id, "name": ended.workflow_name},
    }
    metadata = {"source": ERROR, "workflowId": ended.workflow_id, "executionId": ended.execution_id}
    after_failure = {AFTER_FAILURE: True}
    return NewEvent(None, error_workflow, ended.user_id, ERROR, payload, metadata, awaited_by=after_failure)
