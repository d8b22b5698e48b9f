"""A batch of executions that is loaded, driven by the state machine and written back in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from flowforge.db import ending_store, executions_store, waits_store
from flowforge.db.attempt_rows import AttemptResult
from flowforge.db.ending_store import EndedExecution
from flowforge.db.engine import Connection
from flowforge.engine import answers, completion, intake
from flowforge.engine.announcements import wait_messages
from flowforge.engine.answers import Answer
from flowforge.engine.batch_frames import BatchFrames, Round
from flowforge.engine.completion import PostCommit
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.engine.start_messages import StartMessages
from flowforge.errors import TooMuchAtOnce
from flowforge.execution.commands import Effects
from flowforge.execution.state import Status
from flowforge.sentences import Count, sentence

MOST_FRAMES = 100_000
"""Frames that one transaction opens for several executions. One loop may have more of its own."""


class ExecutionBatch:
    """Executions that one batch of messages is about.

    Facts are given to their runs; then `advance_until_blocked`, then `write`. The work that follows the commit is added
    to `post_commit`.
    """

    def __init__(self, connection: Connection, starts: StartMessages, post_commit: PostCommit) -> None:
        self.connection = connection
        self.post_commit = post_commit
        self._starts = starts
        self._executions: dict[UUID, LoadedExecution] = {}
        self._opened = 0
        self.frames = BatchFrames(connection, self._executions)

    def add(self, execution: LoadedExecution) -> None:
        self._executions[execution.execution_id] = execution

    def remove(self, execution: LoadedExecution) -> None:
        del self._executions[execution.execution_id]

    def get(self, execution_id: UUID) -> LoadedExecution | None:
        return self._executions.get(execution_id)

    @property
    def executions(self) -> list[LoadedExecution]:
        return list(self._executions.values())

    def keep_created(self, event_ids: set[UUID]) -> None:
        """Drops the executions that were not created for these events; the others are stored as they are now."""
        for execution in self.executions:
            if execution.event_id in event_ids:
                execution.mark_stored()
                execution.attempts = []
            else:
                self.remove(execution)

    def prepare(self, execution: LoadedExecution) -> None:
        """Takes the effects of an execution that is about to be created, so that its first attempts are stored with
        it."""
        execution.pending_effects = execution.take_effects(self._starts)
        self._count_frames(execution.pending_effects)

    def advance_until_blocked(self, executions: Iterable[LoadedExecution]) -> None:
        """Carries out the commands of the state machine, until it only waits for executors, time and people."""
        active = list(executions)
        while active:
            rounds = [Round(execution, execution.take_effects(self._starts)) for execution in active]
            rounds = [round_ for round_ in rounds if not round_.execution.is_over]
            for round_ in rounds:
                self._count_frames(round_.effects)
            self.frames.open(rounds)
            active = [round_.execution for round_ in rounds if round_.effects.entering or round_.effects.closing]
            if active:
                self.frames.save(active)
                self.frames.enter(rounds)
                self.frames.close(rounds)

    def _count_frames(self, effects: Effects) -> None:
        """Raises TooMuchAtOnce where several executions open more frames together than a statement has time for."""
        self._opened += sum(len(opened.items) for opened in effects.opened)
        if self._opened > MOST_FRAMES and len(self._executions) > 1:
            raise TooMuchAtOnce(
                sentence(
                    "%(count)s executions open more than %(most)s frames together",
                    count=len(self._executions),
                    most=Count(MOST_FRAMES),
                )
            )

    def write(self, applied: Sequence[AttemptResult] = ()) -> None:
        """Stores the executions, with the attempts whose results they have taken, and gathers what follows."""
        executions = self.executions
        self.frames.save(executions)
        self._apply(executions, applied)
        active = [execution for execution in executions if not execution.is_over]
        ended = [execution for execution in executions if execution.is_over and not execution.was_over]
        self._drop_pending_attempts(ended)
        self._call_workflows(active)
        self._keep_responses(executions)
        self.post_commit.messages += [start.message for execution in active for start in execution.start_messages]
        self.complete([execution.ended() for execution in ended])
        self._cancel_called_by(ended)

    def complete(self, ended: Sequence[EndedExecution]) -> None:
        """Does what follows the end of executions, of this batch or others."""
        self.post_commit.add(completion.complete(self.connection, ended, self._starts.inline_limit))

    def _apply(self, executions: Sequence[LoadedExecution], applied: Sequence[AttemptResult]) -> None:
        updates = [execution.update() for execution in executions if execution.is_changed]
        attempts = [new for execution in executions if not execution.is_over for new in execution.attempts]
        if updates or applied or attempts:
            executions_store.apply(self.connection, updates, applied, attempts)

    def _drop_pending_attempts(self, ended: Iterable[LoadedExecution]) -> None:
        """Closes what is pending in executions with frames; others have nothing beside the step that has ended them."""
        framed = [execution.execution_id for execution in ended if execution.run.next_frame > 1]
        if framed:
            ending_store.drop_pending_attempts(self.connection, framed)

    def _call_workflows(self, executions: Iterable[LoadedExecution]) -> None:
        calls = [event for execution in executions for event in execution.calls]
        self.post_commit.messages += intake.messages(intake.record(self.connection, calls), self._starts.inline_limit)
        ended = [result for execution in executions for result in execution.ended_calls]
        if ended:
            self.post_commit.messages += wait_messages(waits_store.end_waits(self.connection, ended))

    def _keep_responses(self, executions: Iterable[LoadedExecution]) -> None:
        """Stores the answers of RESPOND steps, before the end of the execution gives an answer of its own."""
        new_answers = [
            (execution.event_id, Answer(response.status, dict(response.headers), response.body))
            for execution in executions
            if (response := execution.response) is not None and execution.event_id is not None
        ]
        if new_answers:
            self.post_commit.answered += answers.keep(self.connection, new_answers)

    def _cancel_called_by(self, ended: Iterable[LoadedExecution]) -> None:
        """Cancels the executions that failed ones have called: nobody awaits them any more."""
        callers = [
            execution.execution_id
            for execution in ended
            if execution.run.status is Status.FAILED and execution.calls_others
        ]
        if callers:
            self.complete(ending_store.cancel_called(self.connection, callers))
