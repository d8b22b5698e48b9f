"""Accepted events become executions, and those that a limit held back begin."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.db import executions_store as store
from flowforge.db import limits_store
from flowforge.db.executions_store import EventContext, ExecutionState
from flowforge.engine import cancellation, intake
from flowforge.engine.admission import Admission, Candidate, concurrency_key
from flowforge.engine.completion import PostCommit
from flowforge.engine.execution_batch import Batch
from flowforge.engine.loaded_execution import LoadedExecution, announce
from flowforge.engine.plans import Version, adopt
from flowforge.engine.replay_start import load_recorded, may_run, recall_replays, replay_in, wanted_version
from flowforge.engine.run_factory import RunFactory
from flowforge.events import TriggerEvent
from flowforge.execution.state import ROOT, Frame, Status
from flowforge.ids import uuid7
from flowforge.language.expressions.resolving import ExpressionError

_NOTE_TRIGGERED_EVERY_SECONDS = 5.0


class Starting:
    def __init__(self, runs: RunFactory) -> None:
        self._run_factory = runs
        self._noted: dict[UUID, float] = {}

    def begin(self, connection: Connection, triggered: dict[UUID, TriggerEvent], post_commit: PostCommit) -> bool:
        """Creates their executions, once, and lets those begin that no limit holds back. What is to be done after the
        commit is added to `post_commit`. Returns whether other executions had to make room."""
        contexts = self._contexts(connection, triggered)
        versions = self._versions(connection, triggered, contexts)
        fresh = [event for id_, event in triggered.items() if id_ in contexts and not contexts[id_].handled]
        if not fresh:
            return False
        batch = self._run_factory.batch(connection)
        dropped = {event.event_id: _why_dropped(contexts[event.event_id]) for event in fresh}
        for event in fresh:
            version = versions.get(event.event_id)
            if version is not None:
                del dropped[event.event_id]
                batch.add(self._candidate(event, contexts[event.event_id], version))
        admission = Admission(connection)
        dropped |= self._admit(batch, admission)
        load_recorded(connection, self._run_factory.plans, batch.loaded.values())
        self._let_begin(batch)
        rows = [self._row(triggered[id_], one) for one in batch.loaded.values() if (id_ := one.event_id)]
        rows += [{"event_id": id_, "dropped": reason} for id_, reason in dropped.items()]
        batch.keep_only(store.begin_executions(connection, rows))
        self._note_triggered(connection, [event.trigger_id for event in triggered.values() if event.trigger_id])
        self._finish_beginning(batch, post_commit)
        batch.refuse([(id_, contexts[id_].awaited_by, reason) for id_, reason in dropped.items()])
        batch.publish_to(post_commit)
        return bool(admission.to_displace)

    def begin_held(self, connection: Connection, held: Sequence[ExecutionState], post_commit: PostCommit) -> None:
        """Those that a limit held back, with their rows locked."""
        batch = self._run_factory.load(connection, held)
        recall_replays(batch.connection, batch.loaded.values())
        load_recorded(batch.connection, self._run_factory.plans, batch.loaded.values())
        for one in batch.loaded.values():
            if one.version.problem is not None:
                one.fail(f"the workflow cannot be read: {one.version.problem}")
            else:
                one.begin()
        self._finish_beginning(batch, post_commit)
        batch.publish_to(post_commit)

    def _finish_beginning(self, batch: Batch, post_commit: PostCommit) -> None:
        begun = [one for one in batch.loaded.values() if one.run.status is not Status.PENDING]
        post_commit.messages += [announce(one, "STARTED", event_id=one.event_id) for one in begun]
        batch.settle(begun)
        batch.write([])

    def _candidate(self, event: TriggerEvent, context: EventContext, version: Version) -> LoadedExecution:
        """Not begun yet; one that cannot be is failed at once."""
        execution_id = context.execution_id or uuid7()
        payload = event.payload if context.payload is None else context.payload
        run = self._run_factory.new(version, execution_id, payload)
        run.frames[ROOT] = Frame()
        one = LoadedExecution(execution_id, event.workflow_id, event.user_id, event.event_id, version, run)
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
            one = batch.loaded[id_]
            one.begin_at = verdict.begin_at
            if verdict.displaced:
                one.cancel()
            if verdict.skipped is not None and one.event_id is not None:
                dropped[one.event_id] = verdict.skipped
                del batch.loaded[id_]
        if admission.to_displace:
            displaced = limits_store.lock_oldest_placed(batch.connection, admission.to_displace)
            batch.follow(cancellation.cancel(batch.connection, displaced))
        return dropped

    def _let_begin(self, batch: Batch) -> None:
        for one in batch.loaded.values():
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
        versions = self._run_factory.plans.get(connection, pinned.values())
        return {id_: versions[version] for id_, version in pinned.items() if version in versions}

    def _row(self, event: TriggerEvent, one: LoadedExecution) -> dict[str, Any]:
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


def _candidates(batch: Batch) -> list[Candidate]:
    """Those that a limit may hold back, in the order in which they came."""
    limited = [one for one in batch.loaded.values() if one.is_limited and not one.over]
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
