"""Accepted events become executions, and executions that a limit has held begin."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flowforge.db import ending_store, events_store, executions_store, slots_store, versions_store
from flowforge.db.engine import Connection
from flowforge.db.events_store import EventContext, NewEvent
from flowforge.db.executions_store import DroppedEvent, ExecutionState, NewExecution
from flowforge.db.variables_store import NO_VALUES, Values
from flowforge.engine import completion, intake
from flowforge.engine.admission import Admission, Candidate, concurrency_key
from flowforge.engine.completion import PostCommit, RefusedEvent
from flowforge.engine.execution_batch import ExecutionBatch
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.engine.plans import Version
from flowforge.engine.recorded_outputs import load_recorded, recall_replays
from flowforge.engine.replay import may_run, replay_in, wanted_version
from flowforge.engine.run_factory import RunFactory
from flowforge.events import TriggerEvent
from flowforge.execution.state import ROOT, Frame, Status
from flowforge.ids import uuid7
from flowforge.language.expressions.resolving import ExpressionError

_NOTE_TRIGGERED_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An event that nothing has come of yet; `version` is None where no execution can."""

    event: TriggerEvent
    context: EventContext
    version: Version | None

    @property
    def why_dropped(self) -> str:
        is_disabled = self.context.workflow_enabled is False
        return "the workflow is disabled" if is_disabled else "the workflow does not exist"


class ExecutionStarter:
    """Creates executions and lets them begin, in transactions of the caller's."""

    def __init__(self, runs: RunFactory) -> None:
        self._runs = runs
        self._noted: dict[UUID, float] = {}

    def begin(self, connection: Connection, triggered: Mapping[UUID, TriggerEvent], post_commit: PostCommit) -> bool:
        """Creates the executions of these events, by event id, once; those begin that no limit holds. The work that
        follows the commit is added to `post_commit`. Returns whether other executions had to make room."""
        arrivals = self._arrivals(connection, triggered)
        if not arrivals:
            return False
        batch = self._runs.new_batch(connection, post_commit)
        runs = [(arrival.event.user_id, arrival.version) for arrival in arrivals if arrival.version is not None]
        dropped = self._add_candidates(batch, arrivals, self._runs.variables(connection, runs))
        admission = Admission(connection)
        dropped |= self._admit(batch, admission)
        self._let_begin(batch)
        batch.keep_created(self._create(batch, triggered, dropped))
        self._note_triggered(connection, [event.trigger_id for event in triggered.values() if event.trigger_id])
        self._finish_beginning(batch)
        contexts = {arrival.event.event_id: arrival.context for arrival in arrivals}
        refused = [RefusedEvent(id_, contexts[id_].awaited_by, reason) for id_, reason in dropped.items()]
        post_commit.add(completion.refuse(connection, refused))
        return bool(admission.to_displace)

    def begin_held(self, connection: Connection, held: Sequence[ExecutionState], post_commit: PostCommit) -> None:
        """Lets executions begin that a limit has held, with their rows locked."""
        batch = self._runs.load(connection, held, post_commit)
        recall_replays(connection, batch.executions)
        load_recorded(connection, self._runs.plans, batch.executions)
        for execution in batch.executions:
            if execution.version.problem is not None:
                execution.fail(_unreadable(execution.version))
            else:
                execution.begin()
        self._finish_beginning(batch)

    def _arrivals(self, connection: Connection, triggered: Mapping[UUID, TriggerEvent]) -> list[_Arrival]:
        contexts = self._contexts(connection, triggered)
        versions = self._versions(connection, triggered, contexts)
        return [
            _Arrival(event, contexts[id_], versions.get(id_))
            for id_, event in triggered.items()
            if id_ in contexts and not contexts[id_].handled
        ]

    def _contexts(self, connection: Connection, triggered: Mapping[UUID, TriggerEvent]) -> dict[UUID, EventContext]:
        large = [id_ for id_, event in triggered.items() if event.by_reference]
        contexts = events_store.event_contexts(connection, triggered, with_payload=large)
        foreign = [event for id_, event in triggered.items() if id_ not in contexts and not event.by_reference]
        if foreign:  # another implementation's trigger service accepted them: they become ours here
            intake.record(connection, [_as_new_event(event) for event in foreign])
            contexts = events_store.event_contexts(connection, triggered, with_payload=large)
        return contexts

    def _versions(
        self,
        connection: Connection,
        triggered: Mapping[UUID, TriggerEvent],
        contexts: Mapping[UUID, EventContext],
    ) -> dict[UUID, Version]:
        """The version to which the execution of each event is pinned, by event."""
        wanted = {id_: wanted_version(context) for id_, context in contexts.items() if may_run(context)}
        unsaved = {triggered[id_].workflow_id for id_, version in wanted.items() if version is None}
        adopted = versions_store.adopt_workflows(connection, unsaved) if unsaved else {}
        pinned = {id_: version or adopted[triggered[id_].workflow_id] for id_, version in wanted.items()}
        versions = self._runs.plans.get(connection, pinned.values())
        return {id_: versions[version] for id_, version in pinned.items() if version in versions}

    def _add_candidates(
        self, batch: ExecutionBatch, arrivals: Iterable[_Arrival], variables: Mapping[UUID, Values]
    ) -> dict[UUID, str]:
        """Returns the events that lead to no execution, and why. `variables`: by account."""
        dropped = {}
        for arrival in arrivals:
            if arrival.version is None:
                dropped[arrival.event.event_id] = arrival.why_dropped
            else:
                own = variables.get(arrival.event.user_id, NO_VALUES)
                batch.add(self._candidate(arrival.event, arrival.context, arrival.version, own))
        return dropped

    def _candidate(
        self, event: TriggerEvent, context: EventContext, version: Version, variables: Values
    ) -> LoadedExecution:
        """An execution that has not begun; one that cannot begin has failed."""
        execution_id = context.execution_id or uuid7()
        payload = event.payload if context.payload is None else context.payload
        run = self._runs.new_run(version, execution_id, payload, variables)
        run.frames[ROOT] = Frame()
        candidate = LoadedExecution(execution_id, event.workflow_id, event.user_id, event.event_id, version, run)
        candidate.trigger_type, candidate.awaited_by = event.trigger_type, context.awaited_by
        candidate.replay = replay_in(context, version)
        if version.problem is not None:
            candidate.fail(_unreadable(version))
            return candidate
        try:
            candidate.concurrency_key = concurrency_key(version, payload)
        except ExpressionError as error:
            candidate.fail(str(error))
        return candidate

    def _admit(self, batch: ExecutionBatch, admission: Admission) -> dict[UUID, str]:
        """Holds what a limit of its workflow holds. Returns the events that a limit drops, and why."""
        limited = [execution for execution in batch.executions if execution.is_limited and not execution.is_over]
        candidates = [Candidate(found.execution_id, found.version, found.concurrency_key) for found in limited]
        verdicts = admission.admit(candidates)
        dropped = {}
        for execution in limited:
            verdict = verdicts.get(execution.execution_id)
            if verdict is None:
                continue
            execution.begin_at = verdict.begin_at
            if verdict.displaced:
                execution.cancel()
            if verdict.skipped is not None and execution.event_id is not None:
                dropped[execution.event_id] = verdict.skipped
                batch.remove(execution)
        if admission.to_displace:
            displaced = slots_store.lock_oldest_holders(batch.connection, admission.to_displace)
            batch.complete(ending_store.cancel(batch.connection, displaced))
        return dropped

    def _let_begin(self, batch: ExecutionBatch) -> None:
        load_recorded(batch.connection, self._runs.plans, batch.executions)
        for execution in batch.executions:
            if execution.begin_at is None and not execution.is_over:
                execution.begin()
            batch.prepare(execution)

    def _create(
        self, batch: ExecutionBatch, triggered: Mapping[UUID, TriggerEvent], dropped: Mapping[UUID, str]
    ) -> set[UUID]:
        """Returns the events that got an execution now."""
        rows: list[NewExecution | DroppedEvent] = [DroppedEvent(id_, reason) for id_, reason in dropped.items()]
        rows += [new.new_row(triggered[new.event_id]) for new in batch.executions if new.event_id is not None]
        return executions_store.begin_executions(batch.connection, rows)

    def _finish_beginning(self, batch: ExecutionBatch) -> None:
        begun = [execution for execution in batch.executions if execution.run.status is not Status.PENDING]
        batch.post_commit.messages += [
            execution.announcement("STARTED", event_id=execution.event_id) for execution in begun
        ]
        batch.advance_until_blocked(begun)
        batch.write()

    def _note_triggered(self, connection: Connection, trigger_ids: Iterable[UUID]) -> None:
        """Notes a trigger at most every few seconds: a busy one would spend its time on this row."""
        now = time.monotonic()
        stale = {id_ for id_ in trigger_ids if now - self._noted.get(id_, -1e9) > _NOTE_TRIGGERED_EVERY_SECONDS}
        if stale:
            events_store.note_triggered(connection, sorted(stale))
            self._noted = {id_: at for id_, at in self._noted.items() if now - at < 60} | dict.fromkeys(stale, now)


def _unreadable(version: Version) -> str:
    return f"the workflow cannot be read: {version.problem}"


def _as_new_event(event: TriggerEvent) -> NewEvent:
    return NewEvent(
        trigger_id=event.trigger_id,
        workflow_id=event.workflow_id,
        user_id=event.user_id,
        trigger_type=event.trigger_type,
        payload=event.payload,
        metadata=event.metadata,
        event_id=event.event_id,
    )
