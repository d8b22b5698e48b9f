"""The orchestrator: an accepted event becomes an execution, a result becomes the next step or the end.

Everything it knows is in PostgreSQL. A batch of messages is one transaction; what follows from it is published after
the commit, and `flowforge.engine.redelivery` sends it again should the process die in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Connection

from flowforge import events
from flowforge.bus import Message
from flowforge.db import executions_store as store
from flowforge.db import waits_store
from flowforge.db.engine import unavailable_when_down
from flowforge.db.executions_store import ExecutionState
from flowforge.engine import answers
from flowforge.engine.advancing import advance, open_attempt
from flowforge.engine.announcements import wait_result
from flowforge.engine.applied_results import AppliedResults
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Received
from flowforge.engine.failing_executions import reason_of
from flowforge.engine.held_executions import AT_ONCE, HeldExecutions
from flowforge.engine.poison import PoisonHandler
from flowforge.engine.run_factory import RunFactory
from flowforge.engine.starting import Starting
from flowforge.errors import Unavailable
from flowforge.events import ExecutionResult, TopicMessage, TriggerEvent
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

BATCH = 200
_AT_ONCE = 500
_OVERDUE_AT_ONCE = 100
LOOK_FOR_DUE_SECONDS = 0.5
"""Between two looks at what time brings."""
_SHORTEST_PAUSE_SECONDS = 0.05


class Orchestrator:
    name = "orchestrator"
    topics = (events.TRIGGER_EVENTS, events.EXECUTION_RESULT)
    pace = 0.0

    def __init__(self, backends: Backends, look_for_due_every: float = LOOK_FOR_DUE_SECONDS) -> None:
        self.group = backends.settings.group_orchestrator
        self._backends = backends
        self._look_for_due_every = look_for_due_every
        self._run_factory = RunFactory(backends)
        self._starting = Starting(self._run_factory)
        self._next_look = 0.0
        self._applied_results = AppliedResults()
        self._poison = PoisonHandler(self._run_factory.starts)
        self._held = HeldExecutions(self._run_factory.plans)

    @property
    def patience(self) -> float:
        """It has none while a place is free for an execution that waits."""
        return 0.0 if self._held.any_freed else max(0.0, self._next_look - time.monotonic())

    def room(self) -> int:
        return BATCH

    def handle(self, received: Sequence[Received]) -> None:
        triggered = [one.message for one in received if isinstance(one.message, TriggerEvent)]
        results = [one.message for one in received if isinstance(one.message, ExecutionResult)]
        results = self._applied_results.without(results)
        post_commit = PostCommit()
        if not triggered and not results:
            return
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            displaced = bool(triggered) and self._starting.begin(
                connection, {event.event_id: event for event in triggered}, post_commit
            )
            if results and not displaced:
                advance(self._run_factory, connection, results, post_commit)
        if results and displaced:  # whose rows are locked already; those of the results have to be in their own order
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                advance(self._run_factory, connection, results, post_commit)
        self._do(post_commit)

    def tick(self) -> None:
        """What waits for a place that was freed begins; then, from time to time, what time brings."""
        if self._held.any_freed:
            self._begin_held(self._held.take_places)
        if time.monotonic() >= self._next_look:
            self._look()

    def _look(self) -> None:
        """Retries and waits that are due, executions that took too long, places and turns that are free."""
        self._next_look = time.monotonic() + self._look_for_due_every
        post_commit = PostCommit()
        turns: list[UUID] = []
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                more = self._bring(connection, post_commit)
                self._held.look_for_places(connection)
                turns, pause = self._held.look_for_turns(connection, within=self._look_for_due_every)
        except Unavailable:
            raise
        except Exception:
            logger.exception("what is due could not be done; taking one execution after the other")
            self._bring_one_by_one()
            return
        self._next_look = time.monotonic() + max(pause, _SHORTEST_PAUSE_SECONDS)
        self._do(post_commit)
        held = self._begin_held(lambda connection: self._held.take_turns(connection, turns)) if turns else 0
        if held:
            self._next_look = time.monotonic() + _SHORTEST_PAUSE_SECONDS  # to see when the next turn is free
        if more or held == AT_ONCE:
            self._next_look = 0.0

    def _bring(self, connection: Connection, post_commit: PostCommit, only: UUID | None = None) -> bool:
        """Does what is due, of all executions or of one. True where there is more."""
        due = store.take_due_retries(connection, _AT_ONCE, only)
        post_commit.messages += self._run_factory.starts.again(connection, due) if due else []
        ended = self._end_due_waits(connection, post_commit, only)
        self._end_overdue(connection, post_commit, only)
        return len(due) == _AT_ONCE or ended == _AT_ONCE

    def _bring_one_by_one(self) -> None:
        """Finds the execution that makes the others fail with it, and ends that one."""
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            due = store.due_executions(connection, _AT_ONCE)
        for execution_id in due:
            post_commit = PostCommit()
            try:
                with unavailable_when_down(), self._backends.engine.begin() as connection:
                    self._bring(connection, post_commit, execution_id)
            except Unavailable:
                raise
            except Exception as error:
                logger.exception("execution %s cannot go on", execution_id)
                post_commit = self._fail(execution_id, reason_of(error))
            self._do(post_commit)

    def _fail(self, execution_id: UUID, reason: str) -> PostCommit:
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                return self._poison.fail(connection, execution_id, reason)
        except Unavailable:
            raise
        except Exception:
            logger.exception("execution %s cannot even fail; the others go on", execution_id)
            return PostCommit()

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """What the message is about reaches its end: it would be owed, and sent again, for ever."""
        post_commit = self._given_up(connection, message, reason_of(error))
        self._held.freed(post_commit.freed)  # the next tick looks, and it comes after the commit
        return post_commit

    def _given_up(self, connection: Connection, message: TopicMessage, reason: str) -> PostCommit:
        if isinstance(message, TriggerEvent):
            return self._poison.give_up_event(connection, message, reason)
        if isinstance(message, ExecutionResult):
            open_ = open_attempt(connection, message)
            return self._poison.give_up_attempt(connection, open_, reason) if open_ else PostCommit()
        return PostCommit()

    def _do(self, post_commit: PostCommit) -> None:
        """After the commit: what cannot be told now is owed, and told again."""
        self._held.freed(post_commit.freed)
        try:
            self._backends.bus.publish(post_commit.messages)
        except Unavailable:
            raise
        except Exception:
            logger.exception("%d messages were not published; they are owed", len(post_commit.messages))
        answers.tell(self._backends.redis, post_commit.answered)

    def stop(self) -> None:
        """Nothing is in flight between two batches."""

    # What time brings.

    def _end_due_waits(self, connection: Connection, post_commit: PostCommit, only: UUID | None) -> int:
        """Goes on from them at once: many may be due at the same moment. Their results are published for the log."""
        ended = waits_store.end_due_waits(connection, _AT_ONCE, only)
        if ended:
            results = [wait_result(wait) for wait in ended]
            advance(self._run_factory, connection, results, post_commit)
            self._applied_results.add(results)
            post_commit.messages += [Message.of(events.EXECUTION_RESULT, result) for result in results]
        return len(ended)

    def _end_overdue(self, connection: Connection, post_commit: PostCommit, only: UUID | None) -> None:
        overdue = store.lock_overdue(connection, _OVERDUE_AT_ONCE, only)
        if not overdue:
            return
        batch = self._run_factory.load(connection, overdue)
        for one in batch.loaded.values():
            one.fail(one.run.why_overdue)
        batch.write([])
        store.drop_unbegun(connection, list(batch.loaded))
        batch.publish_to(post_commit)

    # Limits let executions go on that they held back.

    def _begin_held(self, take: Callable[[Connection], list[ExecutionState]]) -> int:
        """Those that `take` gives, with their rows locked. Returns how many."""
        post_commit = PostCommit()
        held: list[ExecutionState] = []
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                held = take(connection)
                if held:
                    self._starting.begin_held(connection, held, post_commit)
        except Unavailable:
            raise
        except Exception:
            if not held:
                raise
            logger.exception("what was held back could not begin; looking for the execution that cannot")
            self._fail_what_cannot_begin(held)
            return 0
        self._do(post_commit)
        return len(held)

    def _fail_what_cannot_begin(self, held: Sequence[ExecutionState]) -> None:
        """Tries each alone, and keeps nothing of that: the others stay where they waited, and are found by looking."""
        for state in held:
            try:
                with unavailable_when_down(), self._backends.engine.connect() as connection:
                    self._starting.begin_held(connection, [state], PostCommit())
            except Unavailable:
                raise
            except Exception as error:
                logger.exception("execution %s cannot begin", state.id)
                self._do(self._fail(state.id, reason_of(error)))
