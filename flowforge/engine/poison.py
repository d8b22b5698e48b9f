"""The end of what the engine cannot bring to its end: an event, an attempt or an execution at which it fails.

Without that it would be redelivered, and tried, for ever. What is over stays as it is, so everything here may happen
twice.
"""

from __future__ import annotations

import logging
from uuid import UUID

from flowforge import jsonio
from flowforge.db import ending_store, events_store, executions_store
from flowforge.db.attempt_rows import AttemptResult, OpenAttempt, permanent_error
from flowforge.db.engine import Connection, savepoint
from flowforge.db.events_store import EventContext
from flowforge.db.executions_store import DroppedEvent, NewExecution
from flowforge.engine import completion
from flowforge.engine.announcements import execution_event
from flowforge.engine.completion import PostCommit, RefusedEvent
from flowforge.engine.replay import may_run, wanted_version
from flowforge.errors import Unavailable
from flowforge.events import TriggerEvent
from flowforge.ids import uuid7

logger = logging.getLogger(__name__)


class PoisonHandler:
    """Ends things in transactions of the caller's; `reason` is for people. `inline_limit` is that of intake."""

    def __init__(self, inline_limit: int) -> None:
        self._inline_limit = inline_limit

    def fail(self, connection: Connection, execution_id: UUID, reason: str) -> PostCommit:
        """Fails the execution and cancels what it has called."""
        ended = ending_store.fail(connection, [execution_id], reason)
        post_commit = completion.complete(connection, ended, self._inline_limit)
        if ended:
            cancelled = ending_store.cancel_called(connection, [execution_id])
            post_commit.add(completion.complete(connection, cancelled, self._inline_limit))
        return post_commit

    def give_up_event(self, connection: Connection, event: TriggerEvent, reason: str) -> PostCommit:
        """Creates a FAILED execution for an accepted event; where none can be created, drops the event."""
        context = events_store.event_contexts(connection, [event.event_id]).get(event.event_id)
        if context is None or context.handled:
            return PostCommit()
        if may_run(context):
            try:
                with savepoint(connection):
                    return self._create_failed(connection, event, context, reason)
            except Unavailable:
                raise
            except Exception:
                logger.exception("event %s leads to no execution", event.event_id)
        return self._drop(connection, context, reason)

    def give_up_attempt(self, connection: Connection, attempt: OpenAttempt, reason: str) -> PostCommit:
        """Closes an attempt whose result cannot be taken, and fails its execution."""
        post_commit = self.fail(connection, attempt.execution_id, reason)
        key = (attempt.execution_id, attempt.step_index, attempt.iteration, attempt.attempt)
        error = permanent_error(jsonio.writable(reason))
        executions_store.apply(connection, [], [AttemptResult(*key, succeeded=False, error=error)], [])
        return post_commit

    def _create_failed(
        self, connection: Connection, event: TriggerEvent, context: EventContext, reason: str
    ) -> PostCommit:
        execution = _pending_execution(event, context)
        if not executions_store.begin_executions(connection, [execution]):
            return PostCommit()  # another orchestrator was first
        owner = (execution.execution_id, event.workflow_id, event.user_id)
        started = execution_event(*owner, "STARTED", event_id=event.event_id)
        post_commit = self.fail(connection, execution.execution_id, reason)
        post_commit.messages.insert(0, started)
        return post_commit

    def _drop(self, connection: Connection, context: EventContext, reason: str) -> PostCommit:
        executions_store.begin_executions(connection, [DroppedEvent(context.event_id, jsonio.writable(reason))])
        return completion.refuse(connection, [RefusedEvent(context.event_id, context.awaited_by, reason)])


def _pending_execution(event: TriggerEvent, context: EventContext) -> NewExecution:
    """An execution of which nothing has begun."""
    replay_of = (context.replay or {}).get("executionId")
    return NewExecution(
        event_id=event.event_id,
        execution_id=context.execution_id or uuid7(),
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_id=event.trigger_id,
        trigger_type=event.trigger_type,
        version_id=wanted_version(context),
        awaited_by=context.awaited_by,
        replay_of=UUID(replay_of) if replay_of else None,
    )
