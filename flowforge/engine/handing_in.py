"""Handing in the results of an executor's attempts: stored in PostgreSQL first, then published.

Results go in batches that grow by themselves under load: whatever has gathered while the last one was stored.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flowforge import events
from flowforge.bus import Message
from flowforge.db import attempts_store
from flowforge.db.attempt_rows import AttemptKey, AttemptResult
from flowforge.db.engine import transaction
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.step_runner import Outcome
from flowforge.errors import Unavailable
from flowforge.events import ExecutionResult, ExecutionStart
from flowforge.execution.retry import Failure
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

    def result(self) -> AttemptResult:
        """The result as the attempt's row holds it."""
        start, failure = self.start, self.outcome.failure
        key = (start.execution_id, start.step_index, start.iteration, start.attempt)
        if failure is not None:
            return AttemptResult(*key, succeeded=False, error=failure.as_json())
        return AttemptResult(*key, succeeded=True, output=self.outcome.output)

    def message(self) -> Message:
        """The result as it is published."""
        failure = self.outcome.failure
        result = ExecutionResult(
            execution_id=self.start.execution_id,
            workflow_id=self.start.workflow_id,
            user_id=self.start.user_id,
            step_index=self.start.step_index,
            status="FAILURE" if failure else "SUCCESS",
            output=None if failure else self.outcome.output,
            error_message=failure.message if failure else None,
            iteration=self.start.iteration,
            attempt=self.start.attempt,
            permanent=failure.permanent if failure else None,
            retry_after=failure.retry_after if failure else None,
            started_at=self.started_at,
            timestamp=datetime.now(UTC),
        )
        return Message.of(events.EXECUTION_RESULT, result)


def key_of(start: ExecutionStart) -> AttemptKey:
    return AttemptKey(start.execution_id, start.step_index, start.iteration, start.attempt)


class ResultCollector:
    """Takes results from any thread; `run` hands them in."""

    def __init__(self, backends: Backends, owner: str, held: HeldAttempts) -> None:
        self._backends = backends
        self._owner = owner
        self._held = held
        self._finished: queue.SimpleQueue[Finished | None] = queue.SimpleQueue()
        self._leaving = threading.Event()

    def add(self, finished: Finished) -> None:
        self._finished.put(finished)

    def close(self) -> None:
        """Lets `run` return, after what was added is handed in or PostgreSQL does not answer."""
        self._leaving.set()
        self._finished.put(None)

    def run(self) -> None:
        """Hands in results until `close`; what PostgreSQL does not take now is tried again."""
        batch: list[Finished] = []
        pause = _FIRST_PAUSE_SECONDS
        is_last = False
        while not is_last:
            is_last = self._gather(batch)
            while batch:
                try:
                    self._hand_in_all(batch)
                    pause = _FIRST_PAUSE_SECONDS
                except Unavailable as error:
                    logger.warning("%d results wait to be handed in: %s", len(batch), error)
                    if self._leaving.wait(pause):
                        return  # their leases end, and they are run again
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _gather(self, batch: list[Finished]) -> bool:
        """Waits for a result and adds all that have gathered; returns whether it was the last time."""
        finished = self._finished.get()
        while finished is not None:
            batch.append(finished)
            if len(batch) >= _AT_ONCE:
                return False
            try:
                finished = self._finished.get_nowait()
            except queue.Empty:
                return False
        return True

    def _hand_in_all(self, batch: list[Finished]) -> None:
        """Empties the batch. Raises Unavailable, with what is left still in it."""
        try:
            self._hand_in(batch)
            batch.clear()
            return
        except Unavailable:
            raise
        except Exception:
            logger.exception("%d results could not be handed in; trying one by one", len(batch))
        while batch:
            self._hand_in_alone(batch[0])
            del batch[0]

    def _hand_in_alone(self, finished: Finished) -> None:
        """Hands in one result; as a failure, where its content cannot be stored."""
        try:
            self._hand_in([finished])
        except Unavailable:
            raise
        except Exception as error:
            logger.exception("a result could not be stored")
            failure = Failure(f"the step ran, but its result could not be stored: {type(error).__name__}", True)
            self._hand_in([replace(finished, outcome=Outcome(failure=failure))])

    def _hand_in(self, batch: Sequence[Finished]) -> None:
        with transaction(self._backends.engine) as connection:
            counted = attempts_store.hand_in(connection, self._owner, [finished.result() for finished in batch])
        for finished in batch:
            self._held.remove(finished.key)
        self._publish([finished for finished in batch if finished.key in counted])

    def _publish(self, counted: Sequence[Finished]) -> None:
        try:
            self._backends.bus.publish([finished.message() for finished in counted])
        except Unavailable as error:
            logger.warning("%d results are in PostgreSQL, but not announced: %s", len(counted), error)
        except Exception:
            logger.exception("%d results are in PostgreSQL, but could not be announced", len(counted))
