"""The log lines of an event and its execution, as messages, from what PostgreSQL knows.

A result's line has no output: that is in the execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flowforge.db import log_repair_store
from flowforge.db.engine import Connection
from flowforge.db.log_repair_store import LoggedAttempt, LoggedEvent, LoggedExecution
from flowforge.engine.accepted_events import referring_event
from flowforge.engine.plans import Plans, Version
from flowforge.events import ExecutionEvent, ExecutionResult, ExecutionStart, TopicMessage
from flowforge.jsonio import JsonObject
from flowforge.language.plan import Step

_MOST_ATTEMPTS = 10_000
"""Looked at in one execution."""


def lines_of_event(connection: Connection, plans: Plans, event: LoggedEvent) -> Iterator[TopicMessage]:
    """The lines of an event, and of its execution where it has one."""
    yield referring_event(event)
    if event.execution is not None:
        yield from lines_of_execution(connection, plans, event.execution)


def lines_of_execution(connection: Connection, plans: Plans, execution: LoggedExecution) -> Iterator[TopicMessage]:
    """The lines of an execution in their order; the last one is that of its end."""
    yield _execution_event(execution, "STARTED", execution.created_at, event_id=execution.event_id)
    versions = plans.get(connection, [execution.version_id] if execution.version_id else [])
    version = versions.get(execution.version_id) if execution.version_id else None
    for attempt in log_repair_store.logged_attempts(connection, execution.execution_id, _MOST_ATTEMPTS):
        yield from _attempt_lines(execution, attempt, version)
    if execution.finished_at is not None:
        yield _execution_event(execution, execution.status, execution.finished_at, error=execution.error)


def _attempt_lines(
    execution: LoggedExecution, attempt: LoggedAttempt, version: Version | None
) -> Iterator[TopicMessage]:
    step = version.plan.step(attempt.step_index) if version else None
    if attempt.sent_at is not None and step is not None and step.block is None:
        yield _start_line(execution, attempt, step, attempt.sent_at)
    if attempt.finished_at is not None and attempt.succeeded is not None:
        yield _result_line(execution, attempt, attempt.finished_at)
        if attempt.next_due_at is not None and not attempt.succeeded:
            yield _retry_line(execution, attempt, attempt.finished_at)


def _start_line(execution: LoggedExecution, attempt: LoggedAttempt, step: Step, sent_at: datetime) -> ExecutionStart:
    return ExecutionStart(
        **_key(execution, attempt),
        action_type=step.type,
        action_config=step.config,
        timestamp=sent_at,
        by_reference=True,
    )


def _result_line(execution: LoggedExecution, attempt: LoggedAttempt, finished_at: datetime) -> ExecutionResult:
    return ExecutionResult(
        **_key(execution, attempt),
        status="SUCCESS" if attempt.succeeded else "FAILURE",
        error_message=(attempt.error or {}).get("message"),
        started_at=attempt.started_at,
        timestamp=finished_at,
    )


def _key(execution: LoggedExecution, attempt: LoggedAttempt) -> JsonObject:
    return {
        "execution_id": execution.execution_id,
        "workflow_id": execution.workflow_id,
        "user_id": execution.user_id,
        "step_index": attempt.step_index,
        "iteration": attempt.iteration,
        "attempt": attempt.attempt,
    }


def _retry_line(execution: LoggedExecution, attempt: LoggedAttempt, failed_at: datetime) -> ExecutionEvent:
    return _execution_event(
        execution,
        "RETRYING",
        failed_at,
        step_index=attempt.step_index,
        iteration=attempt.iteration,
        attempt=attempt.attempt,
        error={"message": (attempt.error or {}).get("message")},
        retry_at=attempt.next_due_at,
    )


def _execution_event(execution: LoggedExecution, status: Any, at: datetime, **more: Any) -> ExecutionEvent:
    return ExecutionEvent(
        execution_id=execution.execution_id,
        workflow_id=execution.workflow_id,
        user_id=execution.user_id,
        status=status,
        timestamp=at,
        **more,
    )
