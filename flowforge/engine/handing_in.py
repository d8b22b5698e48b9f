"""Results of an executor's attempts, stored in PostgreSQL first, then published, the executions taken on where they can
be; and the beginnings of those whose calls need care: they are made once PostgreSQL holds that they begin.

They go in batches that grow by themselves under load: whatever has gathered while the last one was stored.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace

from flowforge.bus import Message
from flowforge.db import attempts_store, connection_waits_store, parts_store
from flowforge.db.attempt_rows import AttemptKey, Lease
from flowforge.db.engine import Connection, transaction
from flowforge.engine.finished import Finished
from flowforge.engine.going_on import MOST_AT_ONCE, GoingOn, NextStep
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.leases import Instant
from flowforge.engine.step_runner import Outcome
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.execution.retry import Failure
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_MANY = 5
"""Steps of which the results are worth gathering."""
_PACE_SECONDS = 0.005
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


BeginClaimed = Callable[[Sequence[NextStep], Instant], None]


@dataclass(frozen=True, slots=True)
class Beginning:
    """An attempt whose turn has come; `may_begin`: whether the executor still has it."""

    key: AttemptKey
    may_begin: Future[bool] = field(default_factory=Future)

    def settle(self, *, may_begin: bool) -> None:
        """Tells whoever still waits for it."""
        with suppress(InvalidStateError):
            self.may_begin.set_result(may_begin)


class AttemptCollector:
    """Takes beginnings and results from any thread; `run` writes them. `lease`: what a beginning gets. `begin_claimed`
    begins steps that are claimed, under leases that were granted after a moment."""

    def __init__(
        self, backends: Backends, held: HeldAttempts, lease: Lease, going_on: GoingOn, begin_claimed: BeginClaimed
    ) -> None:
        self._backends = backends
        self._held = held
        self._lease = lease
        self._going_on = going_on
        self._begin_claimed = begin_claimed
        self._gathered: queue.SimpleQueue[Beginning | Finished | None] = queue.SimpleQueue()
        self._leaving = threading.Event()
        self._wrote_at = 0.0

    def begin(self, key: AttemptKey) -> Future[bool]:
        """Settled once PostgreSQL holds that the attempt begins. False where another has it by now, or this executor
        stops."""
        beginning = Beginning(key)
        self._gathered.put(beginning)
        if self._leaving.is_set():
            beginning.settle(may_begin=False)
        return beginning.may_begin

    def add(self, finished: Finished) -> None:
        self._gathered.put(finished)

    def close(self) -> None:
        """Lets `run` return, after what was added is handed in or PostgreSQL does not answer."""
        self._leaving.set()
        self._gathered.put(None)

    def run(self) -> None:
        """Writes until `close`; what PostgreSQL does not take now is tried again."""
        batch: list[Beginning | Finished] = []
        try:
            self._write_until_closed(batch)
        finally:
            for left in batch:
                if isinstance(left, Beginning):
                    left.settle(may_begin=False)

    def _write_until_closed(self, batch: list[Beginning | Finished]) -> None:
        pause = _FIRST_PAUSE_SECONDS
        is_last = False
        while not is_last:
            is_last = self._gather(batch)
            while batch:
                try:
                    self._write_all(batch)
                    pause = _FIRST_PAUSE_SECONDS
                except (Unavailable, TooMuchAtOnce) as error:
                    logger.warning("%d steps wait to begin, or to hand in their results: %s", len(batch), error)
                    if self._leaving.wait(pause):
                        return  # their leases end, and they are run again
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _gather(self, batch: list[Beginning | Finished]) -> bool:
        """Waits for one and adds all that have gathered; returns whether it was the last time."""
        found = self._gathered.get()
        self._let_gather()
        while found is not None:
            batch.append(found)
            if len(batch) >= MOST_AT_ONCE:
                return False
            try:
                found = self._gathered.get_nowait()
            except queue.Empty:
                return False
        return True

    def _let_gather(self) -> None:
        """While many steps run here, the next batch comes some time after the last one, and is larger for it: one of
        ten costs a fifth of ten. A step that runs alone never waits."""
        if len(self._held) >= _MANY:
            self._leaving.wait(self._wrote_at + _PACE_SECONDS - time.monotonic())
        self._wrote_at = time.monotonic()

    def _write_all(self, batch: list[Beginning | Finished]) -> None:
        """Empties the batch. Raises Unavailable, with what is left still in it."""
        try:
            self._write(batch)
            batch.clear()
            return
        except Unavailable:
            raise
        except Exception:
            logger.exception("%d beginnings and results could not be stored; trying one by one", len(batch))
        while batch:
            self._write_alone(batch[0])
            del batch[0]

    def _write_alone(self, one: Beginning | Finished) -> None:
        if isinstance(one, Finished):
            self._hand_in_alone(one)
        else:
            self._write([one])

    def _hand_in_alone(self, finished: Finished) -> None:
        """Hands in one result; as a failure, where its content cannot be stored."""
        try:
            self._write([finished])
        except (Unavailable, TooMuchAtOnce):
            raise
        except Exception as error:
            logger.exception("a result could not be stored")
            failure = Failure(f"the step ran, but its result could not be stored: {type(error).__name__}", True)
            self._write([replace(finished, outcome=Outcome(failure=failure))])

    def _write(self, batch: Sequence[Beginning | Finished]) -> None:
        taken = self._go_on([one for one in batch if isinstance(one, Finished)])
        left = [one for one in batch if one.key not in taken]
        if left:
            self._store(left)

    def _go_on(self, finished: Sequence[Finished]) -> set[AttemptKey]:
        """Lets executions go on by their steps' successes; returns the attempts whose results are taken. Where that
        cannot be done nothing is kept, and the orchestrator may find out whose fault it is."""
        try:
            own = self._going_on.own(finished)
            if not own:
                return set()
            leased_at = Instant.now()
            with self._held.rows:
                stored = self._going_on.store(own)
        except Unavailable:
            raise
        except Exception:
            logger.exception("an executor cannot go on by itself")
            return set()
        taken = [one for one in own if one.key.execution_id in stored]
        gone_on = [one for one in taken if stored[one.key.execution_id]]
        for one in taken:
            self._held.remove(one.key)
        self._begin_claimed([step for one in gone_on for step in one.next_steps()], leased_at)
        late = [one.result for one in taken if not stored[one.key.execution_id]]
        self._publish(lambda: late + [message for one in gone_on for message in one.messages()])
        return {one.key for one in taken}

    def _store(self, batch: Sequence[Beginning | Finished]) -> None:
        beginning = [one for one in batch if isinstance(one, Beginning)]
        finished = [one for one in batch if isinstance(one, Finished)]
        leased_at, begun, ended = Instant.now(), set[AttemptKey](), set[AttemptKey]()
        with self._held.rows, transaction(self._backends.engine) as connection:
            if beginning:
                keys = [one.key for one in beginning]
                begun = attempts_store.begin(connection, self._lease.owner, keys, self._lease.seconds)
            if finished:
                ended = self._hand_in(connection, finished)
        self._held.extend(begun, leased_at)
        for attempt in beginning:
            attempt.settle(may_begin=attempt.key in begun)
        for result in finished:
            self._held.remove(result.key)
        self._publish(lambda: [one.message() for one in finished if one.key in ended])

    def _hand_in(self, connection: Connection, finished: Sequence[Finished]) -> set[AttemptKey]:
        """Lets attempts rest whose turn is later, and stores the results of others; returns those that count."""
        owner = self._lease.owner
        waiting = [wait for one in finished if (wait := one.wait()) is not None]
        deferred = [deferral for one in finished if (deferral := one.deferral()) is not None]
        results = [one.result() for one in finished if not one.outcome.rests]
        if waiting:
            connection_waits_store.begin(connection, owner, waiting)
        if deferred:
            attempts_store.defer(connection, owner, deferred)
        ended = attempts_store.hand_in(connection, owner, results) if results else set()
        _delete_parts(connection, [one.key for one in finished if one.outcome.has_parts and one.key in ended])
        return ended

    def _publish(self, make_messages: Callable[[], Sequence[Message]]) -> None:
        try:
            self._backends.bus.publish(make_messages())
        except Unavailable as error:
            logger.warning("results are in PostgreSQL, but not announced: %s", error)
        except Exception:
            logger.exception("results are in PostgreSQL, but could not be announced")


def _delete_parts(connection: Connection, keys: Sequence[AttemptKey]) -> None:
    if keys:
        parts_store.delete(connection, keys)
