"""The orchestrator: an accepted event becomes an execution, a result becomes the next step or the end.

Everything it knows is in PostgreSQL. A batch of messages is one transaction; what follows from it is published after
the commit, and `flowforge.engine.redelivery` sends it again should the process die in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from flowforge import events
from flowforge.db.engine import Connection, rehearsal, transaction
from flowforge.db.executions_store import ExecutionState
from flowforge.engine import answers
from flowforge.engine.advancing import advance, open_attempt
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Received
from flowforge.engine.due_work import DueWork
from flowforge.engine.failure_reason import reason_of
from flowforge.engine.held_executions import HeldExecutions
from flowforge.engine.overtaking import Overtaking
from flowforge.engine.poison import PoisonHandler
from flowforge.engine.run_factory import RunFactory
from flowforge.engine.starting import ExecutionStarter
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.events import ExecutionResult, TopicMessage, TriggerEvent
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

BATCH = 200
LOOK_FOR_DUE_SECONDS = 0.5
"""Between two looks at what is due, or may begin."""
_SHORTEST_PAUSE_SECONDS = 0.05


class Orchestrator:
    name = "orchestrator"
    topics = (events.TRIGGER_EVENTS, events.EXECUTION_RESULT)
    pace = 0.0
    loads_references = True

    def __init__(self, backends: Backends, look_for_due_every: float = LOOK_FOR_DUE_SECONDS) -> None:
        self.group = backends.settings.group_orchestrator
        self._look_for_due_every = look_for_due_every
        self._backends = backends
        self._runs = RunFactory(backends)
        self._starter = ExecutionStarter(self._runs)
        self._due_work = DueWork(self._runs, backends.settings)
        self._poison = PoisonHandler(self._runs.starts.inline_limit)
        self._held = HeldExecutions(self._runs.plans)
        self._overtaking = Overtaking()
        self._next_look = 0.0

    @property
    def patience(self) -> float:
        """Seconds until something may be due; none while a slot is free for an execution that waits."""
        return 0.0 if self._held.has_freed_slots else max(0.0, self._next_look - time.monotonic())

    def room(self) -> int:
        return BATCH

    def handle(self, received: Sequence[Received]) -> None:
        messages = [delivered.message for delivered in received]
        triggered = {event.event_id: event for event in messages if isinstance(event, TriggerEvent)}
        results = [result for result in messages if isinstance(result, ExecutionResult) and not result.applied]
        post_commit = PostCommit()
        displaced = False
        if triggered:
            with transaction(self._backends.engine) as connection:
                displaced = self._starter.begin(connection, triggered, post_commit)
                if results and not displaced:
                    advance(self._runs, connection, results, post_commit)
        if results and (displaced or not triggered):  # displaced rows are locked: results need an order of their own
            with transaction(self._backends.engine) as connection:
                advance(self._runs, connection, results, post_commit)
        self._finish(post_commit)
        if triggered:
            self._overtaking.note(triggered.values())

    def tick(self) -> None:
        """Lets executions begin that have a slot now, or should not wait for a backlog; then, from time to time, does
        what is due."""
        if self._overtaking.is_due:
            self._begin_overtaking()
        if self._held.has_freed_slots:
            self._begin_held(self._held.take_slots)
        if time.monotonic() >= self._next_look:
            self._look()

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """Ends what the message is about: it would be redelivered for ever."""
        post_commit = self._give_up(connection, message, reason_of(error))
        self._held.note_freed(post_commit.freed)  # the next tick looks, and it comes after the commit
        return post_commit

    def stop(self) -> None:
        """Nothing is in flight between two batches."""

    def _give_up(self, connection: Connection, message: TopicMessage, reason: str) -> PostCommit:
        if isinstance(message, TriggerEvent):
            return self._poison.give_up_event(connection, message, reason)
        if isinstance(message, ExecutionResult):
            attempt = open_attempt(connection, message)
            return self._poison.give_up_attempt(connection, attempt, reason) if attempt else PostCommit()
        return PostCommit()

    def _finish(self, post_commit: PostCommit) -> None:
        """Does the work that follows a commit; messages that cannot be published now are redelivered."""
        self._held.note_freed(post_commit.freed)
        try:
            self._backends.bus.publish(post_commit.messages)
        except Unavailable:
            raise
        except Exception:
            logger.exception("%d messages were not published; they will be redelivered", len(post_commit.messages))
        answers.notify(self._backends.redis, post_commit.answered)

    def _begin_overtaking(self) -> None:
        """Begins what should not wait for the backlog of other workflows."""
        post_commit = PostCommit()
        try:
            with transaction(self._backends.engine) as connection:
                waiting = self._overtaking.find(connection)
                if waiting:
                    self._starter.begin(connection, waiting, post_commit)
        except Unavailable:
            raise
        except Exception:
            logger.exception("nothing gets past the backlog for a while")
            self._overtaking.note_failure()
            return
        self._finish(post_commit)

    # What is due

    def _look(self) -> None:
        """Does what is due, and finds the slots and permits that are free."""
        self._next_look = time.monotonic() + self._look_for_due_every
        post_commit = PostCommit()
        permitted: list[UUID] = []
        try:
            with transaction(self._backends.engine) as connection:
                more = self._due_work.do(connection, post_commit)
                self._held.find_free_slots(connection)
                permitted, pause = self._held.find_free_permits(connection, within=self._look_for_due_every)
        except Unavailable:
            raise
        except Exception:
            logger.exception("what is due could not be done; taking one execution after the other")
            self._do_one_by_one()
            return
        self._next_look = time.monotonic() + max(pause, _SHORTEST_PAUSE_SECONDS)
        self._finish(post_commit)
        begun = self._begin_permitted(permitted) if permitted else 0
        if more or begun >= self._held.at_once:
            self._next_look = 0.0

    def _begin_permitted(self, workflow_ids: Sequence[UUID]) -> int:
        begun = self._begin_held(lambda connection: self._held.take_permits(connection, workflow_ids))
        if begun:
            self._next_look = time.monotonic() + _SHORTEST_PAUSE_SECONDS  # to see when the next permit is free
        return begun

    def _do_one_by_one(self) -> None:
        """Finds the execution that makes the others fail with it, and ends that one."""
        with transaction(self._backends.engine) as connection:
            due = self._due_work.executions(connection)
        for execution_id in due:
            self._finish(self._do_due_work_of(execution_id))

    def _do_due_work_of(self, execution_id: UUID) -> PostCommit:
        post_commit = PostCommit()
        try:
            with transaction(self._backends.engine) as connection:
                self._due_work.do(connection, post_commit, execution_id)
        except Unavailable:
            raise
        except Exception as error:
            logger.exception("execution %s cannot go on", execution_id)
            return self._fail(execution_id, reason_of(error))
        return post_commit

    def _fail(self, execution_id: UUID, reason: str) -> PostCommit:
        try:
            with transaction(self._backends.engine) as connection:
                return self._poison.fail(connection, execution_id, reason)
        except Unavailable:
            raise
        except Exception:
            logger.exception("execution %s cannot even fail; the others go on", execution_id)
            return PostCommit()

    # Held executions

    def _begin_held(self, take: Callable[[Connection], list[ExecutionState]]) -> int:
        """Begins the executions that `take` returns, with their rows locked. Returns how many."""
        post_commit = PostCommit()
        held: list[ExecutionState] = []
        try:
            with transaction(self._backends.engine) as connection:
                held = take(connection)
                if held:
                    self._starter.begin_held(connection, held, post_commit)
        except Unavailable:
            raise
        except Exception as error:
            if not held:
                raise
            if isinstance(error, TooMuchAtOnce) and self._held.at_once > 1:
                self._held.note_taken(too_many=True)
                return 0
            logger.exception("held executions could not begin; looking for the one that cannot")
            self._fail_what_cannot_begin(held)
            return 0
        self._held.note_taken(too_many=False)
        self._finish(post_commit)
        return len(held)

    def _fail_what_cannot_begin(self, held: Sequence[ExecutionState]) -> None:
        """Tries each alone, and keeps nothing of that: the others stay held, and are found by looking."""
        for state in held:
            try:
                with rehearsal(self._backends.engine) as connection:
                    self._starter.begin_held(connection, [state], PostCommit())
            except Unavailable:
                raise
            except Exception as error:
                logger.exception("execution %s cannot begin", state.id)
                self._finish(self._fail(state.id, reason_of(error)))
