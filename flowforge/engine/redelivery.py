"""Redelivery of what PostgreSQL shows as not yet acted upon: the safety net under every message (design invariant 3).

A message is redelivered when its effect is missing for longer than a healthy system needs, and the consumers have
nothing left to read: a long backlog is not a loss. Everything here is idempotent; a message too many changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flowforge import events
from flowforge.bus import Message
from flowforge.connectors.catalog import load_catalog
from flowforge.db import attempts_store, redelivery_store
from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.engine import Connection, Engine, transaction
from flowforge.db.redelivery_store import UntakenResult
from flowforge.engine.accepted_events import trigger_event
from flowforge.engine.failure_reason import reason_of
from flowforge.engine.leases import LeaseTerms
from flowforge.engine.plans import Plans
from flowforge.engine.start_messages import StartMessages
from flowforge.errors import Unavailable
from flowforge.events import ExecutionResult, ExecutionStart
from flowforge.wiring import Backends, start_topic

logger = logging.getLogger(__name__)

GRACE_SECONDS = 5.0
"""Time that a message may be on its way before it counts as lost."""
_AT_ONCE = 1_000
_BACKLOG = 100


@dataclass(frozen=True, slots=True)
class Redelivered:
    """Numbers of messages that were sent again, and of leases of dead executors that were ended."""

    events: int = 0
    starts: int = 0
    results: int = 0
    leases: int = 0


def resend(backends: Backends, grace: float = GRACE_SECONDS) -> Redelivered:
    """Sends one bounded round of messages whose effects have been missing for `grace` seconds.

    Raises Unavailable when PostgreSQL or the bus is away, or another orchestrator would act upon them, too.
    """
    backends.bus.refuse_rivals()
    round_ = _Round(backends, backends.bus.lag(), grace)
    with transaction(backends.engine) as connection:
        leases = round_.end_lost_leases(connection)
        event_messages = round_.unhandled_events(connection)
        result_messages = round_.untaken_results(connection)
        queued = round_.unclaimed_starts(connection)
    start_messages = _start_messages(backends, queued)
    _publish(backends, [*event_messages, *result_messages, *start_messages])
    return Redelivered(len(event_messages), len(start_messages), len(result_messages), leases)


@dataclass(frozen=True, slots=True)
class _Round:
    backends: Backends
    lag: dict[tuple[str, str], int]
    """Messages that a group has not read yet, by topic and group."""
    grace: float

    def end_lost_leases(self, connection: Connection) -> int:
        settings = self.backends.settings
        notice = LeaseTerms.within(settings.step_lease_seconds).notice
        lost = redelivery_store.requeue_lost_leases(
            connection, most_claims=settings.step_max_attempts, notice=notice, grace=self.grace, limit=_AT_ONCE
        )
        redelivery_store.note_lapsed_leases(connection, limit=_AT_ONCE)
        return lost

    def unhandled_events(self, connection: Connection) -> list[Message]:
        settings = self.backends.settings
        if self._has_backlog(events.TRIGGER_EVENTS, settings.group_orchestrator):
            return []
        unhandled = redelivery_store.unhandled_events(
            connection, inline_limit=settings.payload_inline_limit, grace=self.grace, limit=_AT_ONCE
        )
        return [Message.of(events.TRIGGER_EVENTS, trigger_event(event)) for event in unhandled]

    def untaken_results(self, connection: Connection) -> list[Message]:
        if self._has_backlog(events.EXECUTION_RESULT, self.backends.settings.group_orchestrator):
            return []
        untaken = redelivery_store.untaken_results(connection, grace=self.grace, limit=_AT_ONCE)
        return [_result_message(result) for result in untaken]

    def unclaimed_starts(self, connection: Connection) -> list[AttemptKey]:
        if self._has_backlog(start_topic(self.backends.settings), self.backends.settings.group_executor):
            return []
        return redelivery_store.take_unclaimed_starts(connection, grace=self.grace, limit=_AT_ONCE)

    def _has_backlog(self, topic: str, group: str) -> bool:
        return self.lag.get((topic, group), 0) >= _BACKLOG


def _publish(backends: Backends, messages: Sequence[Message]) -> None:
    """Publishes messages. A batch that the bus refuses is halved until the message is found that it does not take."""
    try:
        backends.bus.publish(messages)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, the bus does not take it)
        if len(messages) == 1:
            _give_up(backends, messages[0], error)
            return
        middle = len(messages) // 2
        _publish(backends, messages[:middle])
        _publish(backends, messages[middle:])


def _give_up(backends: Backends, message: Message, error: Exception) -> None:
    """Fails a step whose message the bus does not take. What else it refuses is tried again in the next round."""
    logger.error("the bus refuses a message of %s (%d bytes)", message.topic, len(message.value), exc_info=error)
    if message.topic == start_topic(backends.settings):
        start = ExecutionStart.decode(message.value)
        key = AttemptKey(start.execution_id, start.step_index, start.iteration, start.attempt)
        with transaction(backends.engine) as connection:
            attempts_store.refuse(connection, key, reason_of(error))


def _start_messages(backends: Backends, keys: Sequence[AttemptKey]) -> list[Message]:
    if not keys:
        return []  # the connectors take memory, and are seldom needed here
    starts = StartMessages(backends.settings, Plans(), load_catalog(), backends.vault)
    return _remake(backends.engine, starts, keys)


def _remake(engine: Engine, starts: StartMessages, keys: Sequence[AttemptKey]) -> list[Message]:
    """Makes the messages of steps again. A step whose message cannot be made fails; it does not hold up the others."""
    try:
        with transaction(engine) as connection:
            return starts.remake(connection, keys)
    except Unavailable:
        raise
    except Exception as error:
        logger.exception("the messages of %d steps could not be made", len(keys))
        if len(keys) > 1:
            return [message for key in keys for message in _remake(engine, starts, [key])]
        with transaction(engine) as connection:
            attempts_store.refuse(connection, keys[0], reason_of(error))
        return []


def _result_message(result: UntakenResult) -> Message:
    """Leaves the output out: the orchestrator takes that from the attempt's row."""
    return Message.of(
        events.EXECUTION_RESULT,
        ExecutionResult(
            execution_id=result.execution_id,
            workflow_id=result.workflow_id,
            user_id=result.user_id,
            step_index=result.step_index,
            iteration=result.iteration,
            attempt=result.attempt,
            status="SUCCESS" if result.succeeded else "FAILURE",
            error_message=None if result.succeeded else result.message,
            by_reference=True,
            size=result.size,
        ),
    )
