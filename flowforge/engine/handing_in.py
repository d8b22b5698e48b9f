"""Results of an executor's attempts, stored in PostgreSQL first, then published; and the beginnings of those whose
calls need care: they are made once PostgreSQL holds that they begin.

They go in batches that grow by themselves under load: whatever has gathered while the last one was stored.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from flowforge import events
from flowforge.bus import Message
from flowforge.db import attempts_store, connection_waits_store, parts_store
from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.attempts_store import DeferredAttempt, HandedIn
from flowforge.db.connection_waits_store import WaitingAttempt
from flowforge.db.engine import Connection, transaction
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.leases import Instant
from flowforge.engine.step_runner import Outcome, key_of
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.events import ExecutionResult, ExecutionStart
from flowforge.execution.retry import Failure
from flowforge.logbook import DATA_LIMIT_BYTES
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_AT_ONCE = 500
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that has ended, and how."""

    start: ExecutionStart
    outcome: Outcome
    started_at: datetime

    @property
    def key(self) -> AttemptKey:
        return key_of(self.start)

    def result(self) -> HandedIn:
        """The result as the attempt's row holds it."""
        start, failure = self.start, self.outcome.failure
        key = (start.execution_id, start.step_index, start.iteration, start.attempt)
        if failure is not None:
            return HandedIn(*key, succeeded=False, error=failure.as_json(), began=self.started_at)
        return HandedIn(*key, succeeded=True, output=self.outcome.output, began=self.started_at)

    def wait(self) -> WaitingAttempt | None:
        """The attempt, where it waits for its connection rather than ends."""
        start, outcome = self.start, self.outcome
        if outcome.waits_for is None or outcome.failure is None:
            return None
        key = (start.execution_id, start.step_index, start.iteration, start.attempt)
        return WaitingAttempt(*key, connection=outcome.waits_for, message=outcome.failure.message)

    def deferral(self) -> DeferredAttempt | None:
        """The attempt, where its turn is later."""
        start, seconds = self.start, self.outcome.deferred_for
        if seconds is None:
            return None
        return DeferredAttempt(start.execution_id, start.step_index, start.iteration, start.attempt, seconds)

    def message(self) -> Message:
        """The result as it is published. A large output is left out: PostgreSQL holds it, and no log line."""
        message = self._message()
        if len(message.value) <= DATA_LIMIT_BYTES:
            return message
        return self._message(left_out=len(message.value))

    def _message(self, left_out: int = 0) -> Message:
        failure = self.outcome.failure
        result = ExecutionResult(
            execution_id=self.start.execution_id,
            workflow_id=self.start.workflow_id,
            user_id=self.start.user_id,
            step_index=self.start.step_index,
            status="FAILURE" if failure else "SUCCESS",
            output=None if failure or left_out else self.outcome.output,
            error_message=failure.message if failure else None,
            iteration=self.start.iteration,
            attempt=self.start.attempt,
            permanent=failure.permanent if failure else None,
            retry_after=failure.retry_after if failure else None,
            started_at=self.started_at,
            timestamp=datetime.now(UTC),
            by_reference=True if left_out else None,
            size=(self.start.size or 0) + left_out or None,
        )
        return Message.of(events.EXECUTION_RESULT, result)


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
    """Takes beginnings and results from any thread; `run` writes them. `lease`: seconds that a beginning gets."""

    def __init__(self, backends: Backends, owner: str, held: HeldAttempts, lease: float) -> None:
        self._backends = backends
        self._owner = owner
        self._held = held
        self._lease = lease
        self._gathered: queue.SimpleQueue[Beginning | Finished | None] = queue.SimpleQueue()
        self._leaving = threading.Event()

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
        while found is not None:
            batch.append(found)
            if len(batch) >= _AT_ONCE:
                return False
            try:
                found = self._gathered.get_nowait()
            except queue.Empty:
                return False
        return True

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
        beginning = [one for one in batch if isinstance(one, Beginning)]
        finished = [one for one in batch if isinstance(one, Finished)]
        waiting = [wait for one in finished if (wait := one.wait()) is not None]
        deferred = [deferral for one in finished if (deferral := one.deferral()) is not None]
        results = [one.result() for one in finished if not one.outcome.rests]
        leased_at, begun, ended = Instant.now(), set[AttemptKey](), set[AttemptKey]()
        with self._held.rows, transaction(self._backends.engine) as connection:
            if beginning:
                keys = [one.key for one in beginning]
                begun = attempts_store.begin(connection, self._owner, keys, self._lease)
            if waiting:
                connection_waits_store.begin(connection, self._owner, waiting)
            if deferred:
                attempts_store.defer(connection, self._owner, deferred)
            if results:
                ended = attempts_store.hand_in(connection, self._owner, results)
                _delete_parts(connection, [one.key for one in finished if one.outcome.has_parts and one.key in ended])
        self._held.extend(begun, leased_at)
        for attempt in beginning:
            attempt.settle(may_begin=attempt.key in begun)
        for result in finished:
            self._held.remove(result.key)
        self._publish([result for result in finished if result.key in ended])

    def _publish(self, counted: Sequence[Finished]) -> None:
        try:
            self._backends.bus.publish([finished.message() for finished in counted])
        except Unavailable as error:
            logger.warning("%d results are in PostgreSQL, but not announced: %s", len(counted), error)
        except Exception:
            logger.exception("%d results are in PostgreSQL, but could not be announced", len(counted))


def _delete_parts(connection: Connection, keys: Sequence[AttemptKey]) -> None:
    if keys:
        parts_store.delete(connection, keys)
