"""The end of what the orchestrator cannot bring to its end: an event, an attempt or an execution at which it fails.

Without that they would be owed, and tried, for ever. What is over stays as it is, so everything here may happen twice.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db import executions_store as store
from flowforge.db.engine import unavailable_when_down
from flowforge.db.executions_store import EventContext, OpenAttempt
from flowforge.engine import cancellation, failing_executions
from flowforge.engine.announcements import execution_event
from flowforge.engine.completion import PostCommit
from flowforge.engine.execution_batch import Batch
from flowforge.engine.replay_start import may_run, wanted_version
from flowforge.engine.start_messages import StartMessages
from flowforge.errors import Unavailable
from flowforge.events import TriggerEvent
from flowforge.execution.state import Status
from flowforge.ids import uuid7

logger = logging.getLogger(__name__)


class PoisonHandler:
    def __init__(self, starts: StartMessages) -> None:
        self._starts = starts

    def fail(self, connection: Connection, execution_id: UUID, reason: str) -> PostCommit:
        """The execution is FAILED for that reason, and whoever waits for it hears of it."""
        batch, post_commit = Batch(connection, self._starts), PostCommit()
        ended = failing_executions.fail(connection, [execution_id], reason)
        batch.follow(ended)
        if ended:
            batch.follow(cancellation.cancel_called(connection, [execution_id]))
        batch.publish_to(post_commit)
        return post_commit

    def give_up_event(self, connection: Connection, event: TriggerEvent, reason: str) -> PostCommit:
        """An accepted event leads to a FAILED execution; where none can be, the event is dropped for that reason."""
        context = store.event_contexts(connection, [event.event_id]).get(event.event_id)
        if context is None or context.handled:
            return PostCommit()
        if may_run(context):
            try:
                with unavailable_when_down(), connection.begin_nested():
                    return self._failed_execution(connection, event, context, reason)
            except Unavailable:
                raise
            except Exception:
                logger.exception("event %s leads to no execution", event.event_id)
        return self._dropped(connection, context, reason)

    def give_up_attempt(self, connection: Connection, open_: OpenAttempt, reason: str) -> PostCommit:
        """An attempt whose result cannot be taken is over, and its execution fails."""
        post_commit = self.fail(connection, open_.execution_id, reason)
        store.apply(connection, [], [_applied_row(open_, reason)], [])
        return post_commit

    def _failed_execution(
        self, connection: Connection, event: TriggerEvent, context: EventContext, reason: str
    ) -> PostCommit:
        execution_id = context.execution_id or uuid7()
        if not store.begin_executions(connection, [_pending_row(event, context, execution_id)]):
            return PostCommit()  # another orchestrator was first
        started = execution_event(execution_id, event.workflow_id, event.user_id, "STARTED", event_id=event.event_id)
        post_commit = self.fail(connection, execution_id, reason)
        post_commit.messages.insert(0, started)
        return post_commit

    def _dropped(self, connection: Connection, context: EventContext, reason: str) -> PostCommit:
        batch, post_commit = Batch(connection, self._starts), PostCommit()
        store.begin_executions(connection, [{"event_id": context.event_id, "dropped": jsonio.writable(reason)}])
        batch.refuse([(context.event_id, context.awaited_by, reason)])
        batch.publish_to(post_commit)
        return post_commit


def _pending_row(event: TriggerEvent, context: EventContext, execution_id: UUID) -> dict[str, Any]:
    """As executions_store.begin_executions takes it: nothing has begun."""
    return {
        "event_id": event.event_id,
        "execution_id": execution_id,
        "workflow_id": event.workflow_id,
        "user_id": event.user_id,
        "trigger_id": event.trigger_id,
        "trigger_type": event.trigger_type,
        "version_id": wanted_version(context),
        "awaited_by": context.awaited_by,
        "status": Status.PENDING,
        "current_step": 0,
        "outputs": {},
        "replay_of": (context.replay or {}).get("executionId"),
        "finished": False,
        "attempts": [],
    }


def _applied_row(open_: OpenAttempt, reason: str) -> dict[str, Any]:
    return {
        "execution_id": open_.execution_id,
        "step_index": open_.step_index,
        "iteration": open_.iteration,
        "attempt": open_.attempt,
        "succeeded": False,
        "error": {"message": jsonio.writable(reason), "permanent": True},
    }
