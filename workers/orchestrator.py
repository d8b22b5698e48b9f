"""The orchestrator: an accepted event becomes an execution, a result becomes the next step or the end.

Everything it knows is in PostgreSQL. A batch of messages is one transaction; what follows from it is published after
the commit, and `flowforge.operations.owed` sends it again should the process die in between.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import events
from flowforge.bus import Message
from flowforge.connectors.catalog import load_catalog
from flowforge.db import executions_store as store
from flowforge.db import limits_store, waits_store
from flowforge.db.engine import unavailable_when_down
from flowforge.db.executions_store import EventContext, ExecutionState, OpenAttempt
from flowforge.errors import Unavailable
from flowforge.events import ExecutionResult, TopicMessage, TriggerEvent
from flowforge.execution.machine import Rules, Run
from flowforge.execution.retry import Failure
from flowforge.execution.state import ROOT, Frame, Status, StepEnded
from flowforge.ids import uuid7
from flowforge.language.blocks import BlockType
from flowforge.language.definition import RetryPolicy
from flowforge.language.expressions import ExpressionError
from flowforge.operations import answers, cancelling, intake
from flowforge.operations.announcements import wait_result
from flowforge.operations.endings import Following
from flowforge.operations.failing import reason_of
from flowforge.operations.plans import Plans, Version, adopt
from flowforge.operations.starts import StartMessages, around
from flowforge.wiring import Backends
from workers.admission import Admission, Candidate, concurrency_key
from workers.batch import Batch
from workers.moving import Moving, announce
from workers.own_results import OwnResults
from workers.replaying import load_recorded, may_run, recall_replays, replay_in, wanted_version
from workers.rescue import Rescue
from workers.runner import Received
from workers.waiting import AT_ONCE, Waiting

logger = logging.getLogger(__name__)

BATCH = 200
_AT_ONCE = 500
_OVERDUE_AT_ONCE = 100
_NOTE_TRIGGERED_EVERY_SECONDS = 5.0
_LOOK_FOR_DUE_EVERY_SECONDS = 0.5
_SHORTEST_PAUSE_SECONDS = 0.05


class Orchestrator:
    name = "orchestrator"
    topics = (events.TRIGGER_EVENTS, events.EXECUTION_RESULT)
    pace = 0.0

    def __init__(self, backends: Backends) -> None:
        self.group = backends.settings.group_orchestrator
        self._backends = backends
        self._plans = Plans()
        self._starts = StartMessages(backends.settings, self._plans, load_catalog(), backends.vault)
        self._defaults = RetryPolicy(attempts=backends.settings.step_max_attempts)
        self._output_limit = backends.settings.step_output_max_bytes
        self._noted: dict[UUID, float] = {}
        self._next_look = 0.0
        self._own_results = OwnResults()
        self._rescue = Rescue(self._starts)
        self._waiting = Waiting(self._plans)

    @property
    def patience(self) -> float:
        """It has none while a place is free for an execution that waits."""
        return 0.0 if self._waiting.any_freed else max(0.0, self._next_look - time.monotonic())

    def room(self) -> int:
        return BATCH

    def handle(self, received: Sequence[Received]) -> None:
        triggered = [one.message for one in received if isinstance(one.message, TriggerEvent)]
        results = [one.message for one in received if isinstance(one.message, ExecutionResult)]
        results = self._own_results.without(results)
        following = Following()
        if not triggered and not results:
            return
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            displaced = bool(triggered) and self._begin(
                connection, {event.event_id: event for event in triggered}, following
            )
            if results and not displaced:
                self._advance(connection, results, following)
        if results and displaced:  # whose rows are locked already; those of the results have to be in their own order
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                self._advance(connection, results, following)
        self._do(following)

    def tick(self) -> None:
        """What waits for a place that was freed begins; then, from time to time, what time brings."""
        if self._waiting.any_freed:
            self._begin_held(self._waiting.take_places)
        if time.monotonic() >= self._next_look:
            self._look()

    def _look(self) -> None:
        """Retries and waits that are due, executions that took too long, places and turns that are free."""
        self._next_look = time.monotonic() + _LOOK_FOR_DUE_EVERY_SECONDS
        following = Following()
        turns: list[UUID] = []
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                more = self._bring(connection, following)
                self._waiting.look_for_places(connection)
                turns, pause = self._waiting.look_for_turns(connection, within=_LOOK_FOR_DUE_EVERY_SECONDS)
        except Unavailable:
            raise
        except Exception:
            logger.exception("what is due could not be done; taking one execution after the other")
            self._bring_one_by_one()
            return
        self._next_look = time.monotonic() + max(pause, _SHORTEST_PAUSE_SECONDS)
        self._do(following)
        held = self._begin_held(lambda connection: self._waiting.take_turns(connection, turns)) if turns else 0
        if held:
            self._next_look = time.monotonic() + _SHORTEST_PAUSE_SECONDS  # to see when the next turn is free
        if more or held == AT_ONCE:
            self._next_look = 0.0

    def _bring(self, connection: Connection, following: Following, only: UUID | None = None) -> bool:
        """Does what is due, of all executions or of one. True where there is more."""
        due = store.take_due_retries(connection, _AT_ONCE, only)
        following.messages += self._starts.again(connection, due) if due else []
        ended = self._end_due_waits(connection, following, only)
        self._end_overdue(connection, following, only)
        return len(due) == _AT_ONCE or ended == _AT_ONCE

    def _bring_one_by_one(self) -> None:
        """Finds the execution that makes the others fail with it, and ends that one."""
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            due = store.due_executions(connection, _AT_ONCE)
        for execution_id in due:
            following = Following()
            try:
                with unavailable_when_down(), self._backends.engine.begin() as connection:
                    self._bring(connection, following, execution_id)
            except Unavailable:
                raise
            except Exception as error:
                logger.exception("execution %s cannot go on", execution_id)
                following = self._fail(execution_id, reason_of(error))
            self._do(following)

    def _fail(self, execution_id: UUID, reason: str) -> Following:
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                return self._rescue.fail(connection, execution_id, reason)
        except Unavailable:
            raise
        except Exception:
            logger.exception("execution %s cannot even fail; the others go on", execution_id)
            return Following()

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> Following:
        """What the message is about reaches its end: it would be owed, and sent again, for ever."""
        following = self._given_up(connection, message, reason_of(error))
        self._waiting.freed(following.freed)  # the next tick looks, and it comes after the commit
        return following

    def _given_up(self, connection: Connection, message: TopicMessage, reason: str) -> Following:
        if isinstance(message, TriggerEvent):
            return self._rescue.give_up_event(connection, message, reason)
        if isinstance(message, ExecutionResult):
            open_ = _matching(store.open_attempts(connection, _asked_about([message])), message)
            return self._rescue.give_up_attempt(connection, open_, reason) if open_ else Following()
        return Following()

    def _do(self, following: Following) -> None:
        """After the commit: what cannot be told now is owed, and told again."""
        self._waiting.freed(following.freed)
        try:
            self._backends.bus.publish(following.messages)
        except Unavailable:
            raise
        except Exception:
            logger.exception("%d messages were not published; they are owed", len(following.messages))
        answers.tell(self._backends.redis, following.answered)

    def stop(self) -> None:
        """Nothing is in flight between two batches."""

    # Events become executions.

    def _begin(self, connection: Connection, triggered: dict[UUID, TriggerEvent], following: Following) -> bool:
        """Whether executions had to make room for them."""
        contexts = self._contexts(connection, triggered)
        versions = self._versions(connection, triggered, contexts)
        fresh = [event for id_, event in triggered.items() if id_ in contexts and not contexts[id_].handled]
        if not fresh:
            return False
        batch = Batch(connection, self._starts)
        dropped = {event.event_id: _why_dropped(contexts[event.event_id]) for event in fresh}
        for event in fresh:
            version = versions.get(event.event_id)
            if version is not None:
                del dropped[event.event_id]
                batch.add(self._candidate(event, contexts[event.event_id], version))
        admission = Admission(connection)
        dropped |= self._admit(batch, admission)
        load_recorded(connection, self._plans, batch.moving.values())
        self._let_begin(batch)
        rows = [self._row(triggered[id_], one) for one in batch.moving.values() if (id_ := one.event_id)]
        rows += [{"event_id": id_, "dropped": reason} for id_, reason in dropped.items()]
        batch.keep_only(store.begin_executions(connection, rows))
        self._note_triggered(connection, [event.trigger_id for event in triggered.values() if event.trigger_id])
        self._finish_beginning(batch, following)
        batch.refuse([(id_, contexts[id_].awaited_by, reason) for id_, reason in dropped.items()])
        batch.hand_over(following)
        return bool(admission.to_displace)

    def _finish_beginning(self, batch: Batch, following: Following) -> None:
        begun = [one for one in batch.moving.values() if one.run.status is not Status.PENDING]
        following.messages += [announce(one, "STARTED", event_id=one.event_id) for one in begun]
        batch.settle(begun)
        batch.write([])

    def _candidate(self, event: TriggerEvent, context: EventContext, version: Version) -> Moving:
        """Not begun yet; one that cannot be is failed at once."""
        execution_id = context.execution_id or uuid7()
        payload = event.payload if context.payload is None else context.payload
        run = self._run(version, execution_id, payload)
        run.frames[ROOT] = Frame()
        one = Moving(execution_id, event.workflow_id, event.user_id, event.event_id, version, run)
        one.trigger_type, one.awaited_by = event.trigger_type, context.awaited_by
        one.replay = replay_in(context, version)
        if version.problem is not None:
            one.fail(f"the workflow cannot be read: {version.problem}")
            return one
        try:
            one.concurrency_key = concurrency_key(version, payload)
        except ExpressionError as error:
            one.fail(str(error))
        return one

    def _admit(self, batch: Batch, admission: Admission) -> dict[UUID, str]:
        """Holds back what a limit of its workflow holds back. Returns the events that are dropped by one, and why."""
        dropped = {}
        for id_, verdict in admission.admit(_candidates(batch)).items():
            one = batch.moving[id_]
            one.begin_at = verdict.begin_at
            if verdict.displaced:
                one.cancel()
            if verdict.skipped is not None and one.event_id is not None:
                dropped[one.event_id] = verdict.skipped
                del batch.moving[id_]
        if admission.to_displace:
            displaced = limits_store.lock_oldest_placed(batch.connection, admission.to_displace)
            batch.follow(cancelling.cancel(batch.connection, displaced))
        return dropped

    def _let_begin(self, batch: Batch) -> None:
        for one in batch.moving.values():
            if one.begin_at is None and not one.over:
                one.begin()
            batch.prepare(one)

    def _contexts(self, connection: Connection, triggered: dict[UUID, TriggerEvent]) -> dict[UUID, EventContext]:
        large = [id_ for id_, event in triggered.items() if event.by_reference]
        contexts = store.event_contexts(connection, list(triggered), with_payload=large)
        foreign = [event for id_, event in triggered.items() if id_ not in contexts and not event.by_reference]
        if foreign:  # another implementation's trigger service accepted them: they become ours here
            intake.record(connection, [_as_new_event(event) for event in foreign])
            contexts = store.event_contexts(connection, list(triggered), with_payload=large)
        return contexts

    def _versions(
        self, connection: Connection, triggered: dict[UUID, TriggerEvent], contexts: dict[UUID, EventContext]
    ) -> dict[UUID, Version]:
        """Event id -> the version its execution is pinned to."""
        wanted = {id_: wanted_version(context) for id_, context in contexts.items() if may_run(context)}
        unsaved = {triggered[id_].workflow_id for id_, version in wanted.items() if version is None}
        adopted = adopt(connection, unsaved) if unsaved else {}
        pinned = {id_: version or adopted[triggered[id_].workflow_id] for id_, version in wanted.items()}
        versions = self._plans.get(connection, pinned.values())
        return {id_: versions[version] for id_, version in pinned.items() if version in versions}

    def _run(self, version: Version, execution_id: UUID, payload: dict[str, Any]) -> Run:
        now = datetime.now(UTC)
        rules = Rules(self._defaults, now, random.random(), self._output_limit)  # noqa: S311  (jitter, not a secret)
        links = self._backends.resume_links
        return Run(version.plan, rules, payload, lambda frame: around(version, execution_id, frame, now, links))

    def _row(self, event: TriggerEvent, one: Moving) -> dict[str, Any]:
        return one.row() | {
            "event_id": event.event_id,
            "execution_id": one.execution_id,
            "workflow_id": event.workflow_id,
            "user_id": event.user_id,
            "trigger_id": event.trigger_id,
            "trigger_type": event.trigger_type,
            "version_id": one.version.id,
            "awaited_by": one.awaited_by,
            "begin_at": one.begin_at,
            "concurrency_key": one.concurrency_key,
            "replay_of": one.replay.execution_id if one.replay else None,
            "attempts": one.attempts if not one.over else [],
        }

    def _note_triggered(self, connection: Connection, trigger_ids: Sequence[UUID]) -> None:
        """At most every few seconds for one trigger: a busy one would spend its time on this row."""
        now = time.monotonic()
        stale = {id_ for id_ in trigger_ids if now - self._noted.get(id_, -1e9) > _NOTE_TRIGGERED_EVERY_SECONDS}
        if stale:
            store.note_triggered(connection, sorted(stale))
            self._noted = {id_: at for id_, at in self._noted.items() if now - at < 60} | dict.fromkeys(stale, now)

    # Results become next steps.

    def _advance(self, connection: Connection, results: Sequence[ExecutionResult], following: Following) -> None:
        ids = sorted({result.execution_id for result in results})
        states = store.lock_executions(connection, ids)
        attempts: dict[UUID, list[OpenAttempt]] = {}
        for attempt in store.open_attempts(connection, _asked_about(results)):
            attempts.setdefault(attempt.execution_id, []).append(attempt)
        batch = self._loaded(connection, list(states.values()))
        facts = self._facts(results, attempts, batch)
        self._load(batch, facts)
        for execution_id, _, fact in facts:
            self._tell(batch, batch.moving[execution_id], fact)
        batch.settle(batch.moving.values())
        batch.write([_applied_row(execution_id, open_, fact) for execution_id, open_, fact in facts])
        batch.hand_over(following)

    def _facts(
        self, results: Sequence[ExecutionResult], attempts: dict[UUID, list[OpenAttempt]], batch: Batch
    ) -> list[tuple[UUID, OpenAttempt, StepEnded]]:
        facts = []
        for result in results:
            waiting = attempts.get(result.execution_id, [])
            open_ = _matching(waiting, result)
            if open_ is not None and result.execution_id in batch.moving:
                waiting.remove(open_)
                facts.append((result.execution_id, open_, _fact(open_, result)))
        return facts

    def _load(self, batch: Batch, facts: Sequence[tuple[UUID, OpenAttempt, StepEnded]]) -> None:
        """The frames the facts are about, and the blocks of loops that go on by themselves."""
        frames = sorted({(id_, fact.iteration) for id_, _, fact in facts if fact.iteration != ROOT})
        if frames:
            batch.load_frames(frames)
        blocks = [(id_, fact.iteration, fact.step_index) for id_, _, fact in facts if _goes_on(batch.moving[id_], fact)]
        if blocks:
            batch.load_blocks(blocks)

    def _tell(self, batch: Batch, one: Moving, fact: StepEnded) -> None:
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

    # What time brings.

    def _end_due_waits(self, connection: Connection, following: Following, only: UUID | None) -> int:
        """Goes on from them at once: many may be due at the same moment. Their results are published for the log."""
        ended = waits_store.end_due_waits(connection, _AT_ONCE, only)
        if ended:
            results = [wait_result(wait) for wait in ended]
            self._advance(connection, results, following)
            self._own_results.add(results)
            following.messages += [Message.of(events.EXECUTION_RESULT, result) for result in results]
        return len(ended)

    # Limits let executions go on that they held back.

    def _begin_held(self, take: Callable[[Connection], list[ExecutionState]]) -> int:
        """Those that `take` gives, with their rows locked. Returns how many."""
        following = Following()
        held: list[ExecutionState] = []
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                held = take(connection)
                if held:
                    self._begin_loaded(self._loaded(connection, held), following)
        except Unavailable:
            raise
        except Exception:
            if not held:
                raise
            logger.exception("what was held back could not begin; looking for the execution that cannot")
            self._fail_what_cannot_begin(held)
            return 0
        self._do(following)
        return len(held)

    def _fail_what_cannot_begin(self, held: Sequence[ExecutionState]) -> None:
        """Tries each alone, and keeps nothing of that: the others stay where they waited, and are found by looking."""
        for state in held:
            try:
                with unavailable_when_down(), self._backends.engine.connect() as connection:
                    self._begin_loaded(self._loaded(connection, [state]), Following())
            except Unavailable:
                raise
            except Exception as error:
                logger.exception("execution %s cannot begin", state.id)
                self._do(self._fail(state.id, reason_of(error)))

    def _begin_loaded(self, batch: Batch, following: Following) -> None:
        recall_replays(batch.connection, batch.moving.values())
        load_recorded(batch.connection, self._plans, batch.moving.values())
        for one in batch.moving.values():
            if one.version.problem is not None:
                one.fail(f"the workflow cannot be read: {one.version.problem}")
            else:
                one.begin()
        self._finish_beginning(batch, following)
        batch.hand_over(following)

    def _end_overdue(self, connection: Connection, following: Following, only: UUID | None) -> None:
        overdue = store.lock_overdue(connection, _OVERDUE_AT_ONCE, only)
        if not overdue:
            return
        batch = self._loaded(connection, overdue)
        for one in batch.moving.values():
            one.fail(one.run.why_overdue)
        batch.write([])
        store.drop_unbegun(connection, list(batch.moving))
        batch.hand_over(following)

    def _loaded(self, connection: Connection, states: Sequence[ExecutionState]) -> Batch:
        """Executions as they stand; those whose version is gone cannot move and are left out."""
        versions = self._plans.get(connection, {state.version_id for state in states if state.version_id})
        batch = Batch(connection, self._starts)
        for state in states:
            version = versions.get(state.version_id) if state.version_id else None
            if version is not None:
                batch.add(Moving.of(state, version, self._run(version, state.id, state.trigger_payload or {})))
        return batch


def _asked_about(results: Sequence[ExecutionResult]) -> list[tuple[UUID, int, int]]:
    return [(result.execution_id, result.step_index, result.iteration) for result in results]


def _goes_on(one: Moving, fact: StepEnded) -> bool:
    step = one.version.plan.step(fact.step_index)
    return step is not None and step.block in {BlockType.FOR_EACH, BlockType.PARALLEL}


def _candidates(batch: Batch) -> list[Candidate]:
    """Those that a limit may hold back, in the order in which they came."""
    limited = [one for one in batch.moving.values() if one.is_limited and not one.over]
    return [Candidate(one.execution_id, one.version, one.concurrency_key) for one in limited]


def _why_dropped(context: EventContext) -> str:
    return "the workflow is disabled" if context.workflow_enabled is False else "the workflow does not exist"


def _as_new_event(event: TriggerEvent) -> intake.NewEvent:
    return intake.NewEvent(
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        payload=event.payload,
        metadata=event.metadata,
        event_id=event.event_id,
    )


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
        succeeded, output, error = bool(open_.succeeded), open_.output or {}, open_.error or {}
        failure = Failure(str(error.get("message")), bool(error.get("permanent")), error.get("retryAfter"))
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
    failure = fact.failure
    error = failure and {
        "message": failure.message,
        "permanent": failure.permanent,
        "retryAfter": failure.retry_after,
    }
    return {
        "execution_id": execution_id,
        "step_index": open_.step_index,
        "iteration": open_.iteration,
        "attempt": open_.attempt,
        "succeeded": failure is None,
        "error": error,
    }
