"""Results become next steps, or the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.db import executions_store
from flowforge.db.attempt_rows import AttemptResult, OpenAttempt
from flowforge.db.engine import Connection
from flowforge.db.executions_store import StepKey
from flowforge.db.frames_store import FrameKey, OpenBlockKey
from flowforge.engine.completion import PostCommit
from flowforge.engine.execution_batch import ExecutionBatch
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.engine.run_factory import RunFactory
from flowforge.events import ExecutionResult
from flowforge.execution.retry import Failure
from flowforge.execution.state import ROOT, StepEnded


@dataclass(frozen=True, slots=True)
class Applicable:
    """A result that an execution still waits for: the attempt it ends, and the fact for the state machine."""

    execution: LoadedExecution
    attempt: OpenAttempt
    fact: StepEnded

    @property
    def goes_on_with_block(self) -> bool:
        """Whether it is the pause of a loop that goes on by itself, not the end of a step."""
        step = self.execution.version.plan.step(self.fact.step_index)
        return step is not None and step.has_frames

    def applied(self) -> AttemptResult:
        """The attempt's row from now on; the output is the execution's."""
        attempt, failure = self.attempt, self.fact.failure
        key = (attempt.execution_id, attempt.step_index, attempt.iteration, attempt.attempt)
        return AttemptResult(*key, succeeded=failure is None, error=failure.as_json() if failure else None)


def advance(
    runs: RunFactory, connection: Connection, results: Sequence[ExecutionResult], post_commit: PostCommit
) -> None:
    """Applies results and writes where that leads; the work that follows the commit is added to `post_commit`. A result
    that no execution waits for changes nothing."""
    states = executions_store.lock_executions(connection, sorted({result.execution_id for result in results}))
    attempts = _open_attempts(connection, results)
    batch = runs.load(connection, states, post_commit)
    results = runs.foreign_results.masked(connection, results)
    applicable = _select_applicable(results, attempts, batch)
    _load_surroundings(batch, applicable)
    for result in applicable:
        _apply(result, post_commit)
    batch.advance_until_blocked(batch.executions)
    batch.write([result.applied() for result in applicable])


def open_attempt(connection: Connection, result: ExecutionResult) -> OpenAttempt | None:
    """Returns the attempt that the result ends, while an execution waits for it."""
    return _find_attempt(_open_attempts(connection, [result]), result)


def _open_attempts(connection: Connection, results: Sequence[ExecutionResult]) -> list[OpenAttempt]:
    steps = [StepKey(result.execution_id, result.step_index, result.iteration) for result in results]
    return executions_store.open_attempts(connection, steps)


def _select_applicable(
    results: Sequence[ExecutionResult], attempts: Sequence[OpenAttempt], batch: ExecutionBatch
) -> list[Applicable]:
    waiting: dict[UUID, list[OpenAttempt]] = defaultdict(list)
    for attempt in attempts:
        waiting[attempt.execution_id].append(attempt)
    found = []
    for result in results:
        execution, its_attempts = batch.get(result.execution_id), waiting[result.execution_id]
        ended = _find_attempt(its_attempts, result)
        if execution is not None and ended is not None:
            its_attempts.remove(ended)
            found.append(Applicable(execution, ended, _fact(ended, result)))
    return found


def _load_surroundings(batch: ExecutionBatch, applicable: Sequence[Applicable]) -> None:
    """Loads the frames that the facts are about, and the blocks of loops that go on by themselves."""
    facts = [(result.execution.execution_id, result.fact) for result in applicable]
    inner = {(id_, fact.iteration) for id_, fact in facts if fact.iteration != ROOT}
    batch.frames.load([FrameKey(*key) for key in sorted(inner)])
    batch.frames.load_blocks(
        [
            OpenBlockKey(result.execution.execution_id, result.fact.iteration, result.fact.step_index)
            for result in applicable
            if result.goes_on_with_block
        ]
    )


def _apply(result: Applicable, post_commit: PostCommit) -> None:
    """Gives the fact to the execution's run, and announces the retry that follows a failure."""
    execution, fact = result.execution, result.fact
    if execution.is_over:
        return
    starts = execution.run.effects.starts
    before = len(starts)
    execution.run.step_ended(fact)
    retry = next((start for start in starts[before:] if start.due_at is not None), None)
    if retry is not None and fact.failure is not None:
        failed = {"step_index": fact.step_index, "iteration": fact.iteration, "attempt": fact.attempt}
        error = {"message": fact.failure.message}
        post_commit.messages.append(execution.announcement("RETRYING", error=error, retry_at=retry.due_at, **failed))


def _find_attempt(attempts: Iterable[OpenAttempt], result: ExecutionResult) -> OpenAttempt | None:
    """The attempt that a result ends. Another implementation's result names no attempt: the open one is meant."""
    return next((attempt for attempt in attempts if _is_about(result, attempt)), None)


def _is_about(result: ExecutionResult, attempt: OpenAttempt) -> bool:
    same_step = (attempt.step_index, attempt.iteration) == (result.step_index, result.iteration)
    return same_step and result.attempt in (None, attempt.attempt)


def _fact(attempt: OpenAttempt, result: ExecutionResult) -> StepEnded:
    """Reads the attempt's row; the message counts for executors of others, which store nothing."""
    if attempt.state == "ENDED":
        return _ended(attempt, attempt.output, None if attempt.succeeded else Failure.of_json(attempt.error or {}))
    return _ended(attempt, result.output, None if result.status == "SUCCESS" else _failure(result))


def _ended(attempt: OpenAttempt, output: Mapping[str, Any] | None, failure: Failure | None) -> StepEnded:
    key = (attempt.step_index, attempt.attempt, attempt.iteration)
    return StepEnded(*key, output or {}, failure, attempt.repeats, attempt.pauses or 0)


def _failure(result: ExecutionResult) -> Failure:
    return Failure(
        result.error_message or "the step failed without a reason",
        True if result.permanent is None else result.permanent,
        result.retry_after,
    )
