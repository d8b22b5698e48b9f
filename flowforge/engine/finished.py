"""Attempts that have ended in an executor: as their rows hold them, and as they are published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flowforge import events
from flowforge.bus import Message
from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.attempts_store import DeferredAttempt, HandedIn
from flowforge.db.connection_waits_store import WaitingAttempt
from flowforge.engine.step_runner import Outcome, StepRun, key_of
from flowforge.events import ExecutionResult, ExecutionStart
from flowforge.logbook import DATA_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that has ended, and how."""

    start: ExecutionStart
    outcome: Outcome
    started_at: datetime
    run: StepRun | None = None
    """How it was run; None where somebody else has run it."""

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
        """The result as it is published for the orchestrator. A large output is left out: PostgreSQL holds it, and no
        log line."""
        message = Message.of(events.EXECUTION_RESULT, self._result_message())
        if len(message.value) <= DATA_LIMIT_BYTES:
            return message
        return Message.of(events.EXECUTION_RESULT, self._result_message(left_out=len(message.value)))

    def applied_message(self, topic: str) -> Message:
        """The whole result as it is published on that topic once the execution has taken it."""
        return Message.of(topic, self._result_message(applied=True))

    def _result_message(self, *, left_out: int = 0, applied: bool = False) -> ExecutionResult:
        failure = self.outcome.failure
        return ExecutionResult(
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
            applied=applied or None,
        )
