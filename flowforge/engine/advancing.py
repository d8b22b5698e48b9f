"""Results become next steps, or the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.db import executions_store as store
from flowforge.db.executions_store import OpenAttempt
from flowforge.engine.completion import PostCommit
from flowforge.engine.execution_batch import Batch
from flowforge.engine.loaded_execution import LoadedExecution, announce
from flowforge.engine.run_factory import RunFactory
from flowforge.events import ExecutionResult
from flowforge.execution.retry import Failure
from flowforge.execution.state import ROOT, StepEnded
from flowforge.language.blocks import BlockType

Fact = tuple[UUID, OpenAttempt, StepEnded]
"""Of which execution, which attempt it ends, and what it says."""


def advance(
    runs: RunFactory, connection: Connection, results: Sequence[ExecutionResult], post_commit: PostCommit
) -> None:
    """Where that leads is written, and what is to be done after the commit is added to `post_commit`. What is no longer
    waited for changes nothing."""
    ids = sorted({result.execution_id for result in results})
    states = store.lock_executions(connection, ids)
    attempts: dict[UUID, list[OpenAttempt]] = {}
    for attempt in _open_attempts(connection, results):
        attempts.setdefault(attempt.execution_id, []).append(attempt)
    batch = runs.load(connection, list(states.values()))
    facts = _facts(results, attempts, batch)
    _load_surroundings(batch, facts)
    for execution_id, _, fact in facts:
        _tell(batch, batch.loaded[execution_id], fact)
    batch.settle(batch.loaded.values())
    batch.write([_applied_row(execution_id, open_, fact) for execution_id, open_, fact in facts])
    batch.publish_to(post_commit)


def _facts(results: Sequence[ExecutionResult], attempts: dict[UUID, list[OpenAttempt]], batch: Batch) -> list[Fact]:
    facts = []
    for result in results:
        waiting = attempts.get(result.execution_id, [])
        open_ = _matching(waiting, result)
        if open_ is not None and result.execution_id in batch.loaded:
            waiting.remove(open_)
            facts.append((result.execution_id, open_, _fact(open_, result)))
    return facts


def _load_surroundings(batch: Batch, facts: Sequence[Fact]) -> None:
    """The frames the facts are about, and the blocks of loops that go on by themselves."""
    frames = sorted({(id_, fact.iteration) for id_, _, fact in facts if fact.iteration != ROOT})
    if frames:
        batch.load_frames(frames)
    blocks = [(id_, fact.iteration, fact.step_index) for id_, _, fact in facts if _goes_on(batch.loaded[id_], fact)]
    if blocks:
        batch.load_blocks(blocks)


def _tell(batch: Batch, one: LoadedExecution, fact: StepEnded) -> None:
    if one.over:
        return
    starts = one.run.effects.starts
    before = len(starts)
    one.run.step_ended(fact)
    retry = next((start for start in starts[before:] if start.due_at is not None), None)
    if retry is not None and fact.failure is not None:
        more = {"step_index": fact.step_index, "iteration": fact.iteration, "attempt": fact.attempt}
        error = {"message": fact.failure.message}
        batch.messages.append(announce(one, "RETRYING", error=error, retry_at=retry.due_at, **more))


def open_attempt(connection: Connection, result: ExecutionResult) -> OpenAttempt | None:
    """The attempt that the result is about, while it is waited for."""
    return _matching(_open_attempts(connection, [result]), result)


def _open_attempts(connection: Connection, results: Sequence[ExecutionResult]) -> list[OpenAttempt]:
    asked_about = [(result.execution_id, result.step_index, result.iteration) for result in results]
    return store.open_attempts(connection, asked_about)


def _goes_on(one: LoadedExecution, fact: StepEnded) -> bool:
    step = one.version.plan.step(fact.step_index)
    return step is not None and step.block in {BlockType.FOR_EACH, BlockType.PARALLEL}


def _matching(attempts: Sequence[OpenAttempt], result: ExecutionResult) -> OpenAttempt | None:
    """The attempt a result is about; another implementation's result names none: the one that is open."""
    return next(
        (
            attempt
            for attempt in attempts
            if attempt.step_index == result.step_index
            and attempt.iteration == result.iteration
            and result.attempt in (None, attempt.attempt)
        ),
        None,
    )


def _fact(open_: OpenAttempt, result: ExecutionResult) -> StepEnded:
    """What the executor stored rules; the message speaks for executors that store nothing."""
    if open_.state == "ENDED":
        succeeded, output, failure = bool(open_.succeeded), open_.output or {}, Failure.of_json(open_.error or {})
    else:
        succeeded, output = result.status == "SUCCESS", result.output or {}
        failure = Failure(
            result.error_message or "the step failed without a reason",
            True if result.permanent is None else result.permanent,
            result.retry_after,
        )
    return StepEnded(
        open_.step_index,
        open_.attempt,
        open_.iteration,
        output=output,
        failure=None if succeeded else failure,
    )


def _applied_row(execution_id: UUID, open_: OpenAttempt, fact: StepEnded) -> dict[str, Any]:
    return {
        "execution_id": execution_id,
        "step_index": open_.step_index,
        "iteration": open_.iteration,
        "attempt": open_.attempt,
        "succeeded": fact.failure is None,
        "error": fact.failure and fact.failure.as_json(),
    }
