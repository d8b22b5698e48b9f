"""Messages about what PostgreSQL already holds: for the log, the live view and the orchestrator."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flowforge import events
from flowforge.bus import CircuitOpen, EventBus, Message
from flowforge.db.waits_store import EndedWait
from flowforge.errors import Unavailable
from flowforge.events import ExecutionEvent, ExecutionResult

logger = logging.getLogger(__name__)


def execution_event(execution_id: UUID, workflow_id: UUID, user_id: UUID, status: Any, **more: Any) -> Message:
    """A line for the log and the live view: an execution has reached that status."""
    event = ExecutionEvent(
        execution_id=execution_id,
        workflow_id=workflow_id,
        user_id=user_id,
        status=status,
        timestamp=datetime.now(UTC),
        **more,
    )
    return Message.of(events.EXECUTION_EVENTS, event)


def wait_result(ended: EndedWait, *, applied: bool = False) -> ExecutionResult:
    """The result of a wait, as an executor would publish it. `applied`: whether the execution has taken it."""
    return ExecutionResult(
        execution_id=ended.execution_id,
        workflow_id=ended.workflow_id,
        user_id=ended.user_id,
        step_index=ended.step_index,
        iteration=ended.iteration,
        attempt=ended.attempt,
        status="SUCCESS" if ended.succeeded else "FAILURE",
        output=ended.output if ended.succeeded else None,
        error_message=None if ended.succeeded else ended.message,
        timestamp=datetime.now(UTC),
        applied=applied or None,
    )


def wait_messages(ended: Sequence[EndedWait]) -> list[Message]:
    """The results of waits, for the orchestrator and the log."""
    return [Message.of(events.EXECUTION_RESULT, wait_result(wait)) for wait in ended]


def announce_quietly(bus: EventBus, messages: Sequence[Message]) -> None:
    """Publishes after the commit; never raises: a bus that is away costs a delay or a line in the log, nothing else."""
    try:
        bus.publish(messages)
    except CircuitOpen:
        logger.debug("%d messages could not be published", len(messages))
    except Unavailable as error:
        logger.warning("%d messages could not be published: %s", len(messages), error)
    except Exception:
        logger.exception("%d messages could not be published", len(messages))
