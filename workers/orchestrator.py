"""The orchestrator: an accepted event becomes an execution, a result becomes the next step or the end.

Everything it knows is in PostgreSQL. A batch of messages is one transaction; what follows from it is published after
the commit, and `flowforge.operations.owed` sends it again should the process die in between.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import events
from flowforge.bus import Message
from flowforge.connectors.catalog import load_catalog
from flowforge.db import executions_store as store
from flowforge.db.engine import unavailable_when_down
from flowforge.db.executions_store import EventContext, ExecutionState, OpenAttempt
from flowforge.events import ExecutionEvent, ExecutionResult, TriggerEvent
from flowforge.execution import machine
from flowforge.execution.machine import Execution, StartStep, Status, StepEnded, Transition
from flowforge.execution.retry import Failure
from flowforge.ids import uuid7
from flowforge.language.definition import RetryPolicy
from flowforge.operations import intake
from flowforge.operations.plans import Plans, Version, adopt
from flowforge.operations.starts import StartMessages, StepContext
from flowforge.wiring import Backends
from workers.runner import Received

BATCH = 200
_RETRIES_AT_ONCE = 500
_NOTE_TRIGGERED_EVERY_SECONDS = 5.0
_LOOK_FOR_RETRIES_EVERY_SECONDS = 0.5


class Orchestrator:
    name = "orchestrator"
    topics = (events.TRIGGER_EVENTS, events.EXECUTION_RESULT)
    patience = _LOOK_FOR_RETRIES_EVERY_SECONDS

    def __init__(self, backends: Backends) -> None:
        self.group = backends.settings.group_orchestrator
        self._backends = backends
        self._plans = Plans()
        self._starts = StartMessages(backends.settings, self._plans, load_catalog(), backends.vault)
        self._defaults = RetryPolicy(attempts=backends.settings.step_max_attempts)
        self._noted: dict[UUID, float] = {}
        self._next_look = 0.0

    def room(self) -> int:
        return BATCH

    def handle(self, received: Sequence[Received]) -> None:
        triggered = [one.message for one in received if isinstance(one.message, TriggerEvent)]
        results = [one.message for one in received if isinstance(one.message, ExecutionResult)]
        outgoing: list[Message] = []
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            if triggered:
                outgoing += self._begin(connection, {event.event_id: event for event in triggered})
            if results:
                outgoing += self._advance(connection, results)
        self._backends.bus.publish(outgoing)

    def tick(self) -> None:
        """Sends the retries whose time has come."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_FOR_RETRIES_EVERY_SECONDS
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            due = store.take_due_retries(connection, _RETRIES_AT_ONCE)
            messages = self._starts.again(connection, due) if due else []
        self._backends.bus.publish(messages)

    def stop(self) -> None:
        """Nothing is in flight between two batches."""

    # Events become executions.

    def _begin(self, connection: Connection, triggered: dict[UUID, TriggerEvent]) -> list[Message]:
        contexts = self._contexts(connection, triggered)
        versions = self._versions(connection, triggered, contexts)
        rows = {
            id_: self._beginning(event, contexts[id_], versions.get(id_))
            for id_, event in triggered.items()
            if id_ in contexts and not contexts[id_].handled
        }
        if not rows:
            return []
        created = store.begin_executions(connection, list(rows.values()))
        self._note_triggered(connection, [event.trigger_id for event in triggered.values() if event.trigger_id])
        return [
            message
            for id_ in rows
            if id_ in created
            for message in self._begun(triggered[id_], rows[id_], versions[id_])
        ]

    def _contexts(self, connection: Connection, triggered: dict[UUID, TriggerEvent]) -> dict[UUID, EventContext]:
        contexts = store.event_contexts(connection, list(triggered))
        foreign = [event for id_, event in triggered.items() if id_ not in contexts and not event.by_reference]
        if foreign:  # another implementation's trigger service accepted them: they become ours here
            intake.record(connection, [_as_new_event(event) for event in foreign])
            contexts = store.event_contexts(connection, list(triggered))
        return contexts

    def _versions(
        self, connection: Connection, triggered: dict[UUID, TriggerEvent], contexts: dict[UUID, EventContext]
    ) -> dict[UUID, Version]:
        """Event id -> the version its execution is pinned to."""
        wanted = {id_: context.version_id for id_, context in contexts.items() if context.workflow_enabled}
        unsaved = {triggered[id_].workflow_id for id_, version in wanted.items() if version is None}
        adopted = adopt(connection, unsaved) if unsaved else {}
        pinned = {id_: version or adopted[triggered[id_].workflow_id] for id_, version in wanted.items()}
        versions = self._plans.get(connection, pinned.values())
        return {id_: versions[version] for id_, version in pinned.items() if version in versions}

    def _beginning(self, event: TriggerEvent, context: EventContext, version: Version | None) -> dict[str, Any]:
        row: dict[str, Any] = {
            "event_id": event.event_id,
            "execution_id": context.execution_id or uuid7(),
            "workflow_id": event.workflow_id,
            "user_id": event.user_id,
            "trigger_id": event.trigger_id,
            "trigger_type": event.trigger_type,
        }
        if version is None:
            return row | {"dropped": _why_dropped(context)}
        transition = machine.begin(version.plan)
        if version.problem is not None:
            transition = Transition(
                Execution(Status.FAILED, error={"message": f"the workflow cannot be read: {version.problem}"})
            )
        return row | {
            "version_id": version.id,
            "status": transition.execution.status,
            "current_step": transition.execution.current_step,
            "first_step": transition.start.step_index if transition.start else None,
            "error": transition.execution.error,
        }

    def _begun(self, event: TriggerEvent, row: dict[str, Any], version: Version) -> list[Message]:
        context = StepContext(row["execution_id"], event.workflow_id, event.user_id, event.payload, {})
        messages = [_announce(context, "STARTED", event_id=event.event_id)]
        if row["first_step"] is None:
            return [*messages, _announce(context, row["status"], error=row["error"])]
        step = version.plan.step(row["first_step"])
        assert step is not None
        start = self._starts.message(context, step, attempt=1, by_reference=bool(event.by_reference))
        return [*messages, start]

    def _note_triggered(self, connection: Connection, trigger_ids: Sequence[UUID]) -> None:
        """At most every few seconds for one trigger: a busy one would spend its time on this row."""
        now = time.monotonic()
        stale = {id_ for id_ in trigger_ids if now - self._noted.get(id_, -1e9) > _NOTE_TRIGGERED_EVERY_SECONDS}
        if stale:
            store.note_triggered(connection, sorted(stale))
            self._noted = {id_: at for id_, at in self._noted.items() if now - at < 60} | dict.fromkeys(stale, now)

    # Results become next steps.

    def _advance(self, connection: Connection, results: Sequence[ExecutionResult]) -> list[Message]:
        ids = sorted({result.execution_id for result in results})
        states = store.lock_executions(connection, ids)
        attempts: dict[UUID, list[OpenAttempt]] = {}
        for attempt in store.open_attempts(connection, ids):
            attempts.setdefault(attempt.execution_id, []).append(attempt)
        versions = self._plans.get(connection, {state.version_id for state in states.values() if state.version_id})
        decision = _Decision()
        for result in results:
            state = states.get(result.execution_id)
            open_ = _matching(attempts.get(result.execution_id, []), result)
            version = versions.get(state.version_id) if state and state.version_id else None
            if state is None or open_ is None or version is None:
                continue
            attempts[result.execution_id].remove(open_)
            states[state.id] = self._decide(decision, state, version, open_, result)
        if decision.applied:
            store.apply_results(connection, list(decision.moves.values()), decision.applied, decision.starts)
        return decision.events + self._next_starts(connection, decision, states, versions)

    def _decide(
        self,
        decision: _Decision,
        state: ExecutionState,
        version: Version,
        open_: OpenAttempt,
        result: ExecutionResult,
    ) -> ExecutionState:
        fact = _fact(open_, result)
        before = Execution(Status(state.status), state.current_step, state.step_outputs)
        now = datetime.now(UTC)
        chance = random.random()  # noqa: S311  (jitter, not a secret)
        transition = machine.step_ended(before, version.plan, fact, self._defaults, now, chance)
        decision.take(state, open_, fact, transition)
        after = transition.execution
        return ExecutionState(
            state.id,
            state.workflow_id,
            state.user_id,
            state.event_id,
            state.version_id,
            after.status,
            after.current_step,
            dict(after.outputs),
        )

    def _next_starts(
        self,
        connection: Connection,
        decision: _Decision,
        states: dict[UUID, ExecutionState],
        versions: dict[UUID, Version],
    ) -> list[Message]:
        now_due = [start for start in decision.starts if start["due_at"] is None]
        if not now_due:
            return []
        payloads = store.trigger_payloads(connection, [start["execution_id"] for start in now_due])
        messages = []
        for start in now_due:
            state = states[start["execution_id"]]
            assert state.version_id is not None
            step = versions[state.version_id].plan.step(start["step_index"])
            assert step is not None
            context = StepContext(
                state.id, state.workflow_id, state.user_id, payloads.get(state.id, {}), state.step_outputs
            )
            messages.append(self._starts.message(context, step, start["attempt"], start["iteration"]))
        return messages


class _Decision:
    """What one batch of results comes to: the rows to write, and the log lines that follow."""

    def __init__(self) -> None:
        self.moves: dict[UUID, dict[str, Any]] = {}
        self.applied: list[dict[str, Any]] = []
        self.starts: list[dict[str, Any]] = []
        self.events: list[Message] = []

    def take(self, state: ExecutionState, open_: OpenAttempt, fact: StepEnded, transition: Transition) -> None:
        self.applied.append(
            {
                "execution_id": state.id,
                "step_index": open_.step_index,
                "iteration": open_.iteration,
                "attempt": open_.attempt,
                "succeeded": fact.failure is None,
                "error": _error_row(fact.failure),
            }
        )
        if not transition.applied:
            return
        after = transition.execution
        self.moves[state.id] = {
            "id": state.id,
            "status": after.status,
            "current_step": after.current_step,
            "output_key": None if fact.failure else f"step_{fact.step_index}",
            "output": None if fact.failure else fact.output,
            "error": after.error,
            "finished": after.status.terminal,
        }
        context = StepContext(state.id, state.workflow_id, state.user_id, {}, {})
        if transition.start is not None:
            self.starts.append(_start_row(state, transition.start))
        if transition.start is not None and transition.start.due_at is not None:
            self.events.append(_announce_retry(context, fact, transition.start))
        if after.status.terminal:
            self.events.append(_announce(context, after.status, error=after.error))


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


def _error_row(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"message": failure.message, "permanent": failure.permanent, "retryAfter": failure.retry_after}


def _start_row(state: ExecutionState, start: StartStep) -> dict[str, Any]:
    return {
        "execution_id": state.id,
        "step_index": start.step_index,
        "iteration": start.iteration,
        "attempt": start.attempt,
        "workflow_id": state.workflow_id,
        "due_at": start.due_at,
    }


def _announce(context: StepContext, status: Any, **more: Any) -> Message:
    event = ExecutionEvent(
        execution_id=context.execution_id,
        workflow_id=context.workflow_id,
        user_id=context.user_id,
        status=status,
        timestamp=datetime.now(UTC),
        **more,
    )
    return Message.of(events.EXECUTION_EVENTS, event)


def _announce_retry(context: StepContext, fact: StepEnded, start: StartStep) -> Message:
    assert fact.failure is not None
    return _announce(
        context,
        "RETRYING",
        step_index=fact.step_index,
        attempt=fact.attempt,
        error={"message": fact.failure.message},
        retry_at=start.due_at,
    )
