"""The executor: takes execution.start, claims the attempt in PostgreSQL, runs the connector, hands in the result.

A message is acknowledged as soon as the attempt is claimed: from then on the lease in PostgreSQL says who has it, and
a lease that is not extended gives it to another. What there is no room for is parked in the table. Claims, results and
messages all go in batches that grow by themselves under load: each loop takes whatever has gathered meanwhile.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import events
from flowforge.bus import Message
from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.db import attempts_store as store
from flowforge.db.attempts_store import AttemptKey, Claim
from flowforge.db.credentials_store import CredentialsStore
from flowforge.db.engine import unavailable_when_down
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Received, member_name
from flowforge.engine.failing_executions import reason_of
from flowforge.engine.fair_pool import FairPool
from flowforge.engine.plans import Plans, Version
from flowforge.engine.start_messages import StartMessages
from flowforge.engine.step_runner import Outcome, StepRun, StepRunner
from flowforge.errors import Unavailable
from flowforge.events import ExecutionResult, ExecutionStart, TopicMessage
from flowforge.execution.retry import Failure
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_LOOK_FOR_PARKED_SECONDS = 0.02
"""While something is parked; other executors may park at any time, hence a look now and then in any case."""
_IDLE_SECONDS = 1.0
_DRAIN_SECONDS = 8.0
_OVERTIME_SECONDS = 5.0
"""What a step may exceed its time limit by before its lease is let go: connectors end by themselves before that."""


@dataclass(frozen=True, slots=True)
class _Finished:
    start: ExecutionStart
    outcome: Outcome
    started_at: datetime


class Executor:
    name = "executor"
    topics = (events.EXECUTION_START,)
    pace = 0.0

    def __init__(self, backends: Backends, catalog: Catalog | None = None) -> None:
        settings = backends.settings
        self.group = settings.group_executor
        self._backends = backends
        self._owner = member_name(self.name)
        self._lease = settings.step_lease_seconds
        self._plans = Plans()
        catalog = catalog or load_catalog()
        self._starts = StartMessages(settings, self._plans, catalog, backends.vault)
        credentials = CredentialsStore(backends.engine)
        self._step_runner = StepRunner(settings, catalog, backends.vault, backends.resume_links, credentials)
        self._capacity = settings.executor_threads * 4
        self._share = max(self._capacity // 2, 1)
        self._parked = True
        self._pool = FairPool(settings.executor_threads, settings.workflow_concurrency)
        self._begun: dict[AttemptKey, float] = {}
        self._held: dict[AttemptKey, ExecutionStart] = {}
        self._finished: queue.SimpleQueue[_Finished | None] = queue.SimpleQueue()
        self._leaving = threading.Event()
        self._broken: BaseException | None = None
        self._next_look = 0.0
        self._threads = [
            threading.Thread(target=self._watch, args=(self._hand_in_results,), name="results", daemon=True),
            threading.Thread(target=self._watch, args=(self._keep_leases,), name="leases", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def patience(self) -> float:
        return _LOOK_FOR_PARKED_SECONDS if self._parked else _IDLE_SECONDS

    def room(self) -> int:
        return max(0, self._capacity - self._pool.load)

    def handle(self, received: Sequence[Received]) -> None:
        starts = {_key(one.message): one.message for one in received if isinstance(one.message, ExecutionStart)}
        crowded = self._crowded(starts)
        self._claim_and_run({key: start for key, start in starts.items() if key not in crowded})
        if crowded:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                store.park(connection, list(crowded))
            self._parked = True

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """A step that cannot be begun has failed: it would be sent again for ever."""
        if isinstance(message, ExecutionStart):
            store.refuse(connection, _key(message), reason_of(error))
        return PostCommit()

    def tick(self) -> None:
        """Takes parked attempts when there is room for them again; never so many that none is left."""
        if self._broken is not None:
            raise RuntimeError("a thread of the executor died") from self._broken
        room = self.room()
        if time.monotonic() < self._next_look or room < max(1, self._share // 8):
            return
        full = [key for key in self._pool.busy_keys(min(self._share // 2, room)) if isinstance(key, UUID)]
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            keys = store.parked(connection, full=full, each=max(1, room // 4), limit=max(1, room // 2))
        self._parked = bool(keys or full)
        self._next_look = time.monotonic() + (_LOOK_FOR_PARKED_SECONDS if self._parked else _IDLE_SECONDS)
        self._take(keys)

    def _take(self, parked: Sequence[AttemptKey]) -> None:
        """Begins them; one that makes the others fail with it is found, and fails."""
        if not parked:
            return
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                messages = self._starts.again(connection, parked)
            found = [ExecutionStart.decode(message.value) for message in messages]
            self._claim_and_run({_key(start): start for start in found})
        except Unavailable:
            raise
        except Exception as error:
            logger.exception("%d parked steps could not be begun", len(parked))
            if len(parked) > 1:
                for key in parked:
                    self._take([key])
                return
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                store.refuse(connection, parked[0], reason_of(error))

    def stop(self) -> None:
        """Lets running steps end for a few seconds, gives back what was not begun, hands in the rest."""
        self._pool.close(_DRAIN_SECONDS)
        unbegun = [key for key in self._held if key not in self._begun]
        try:
            with unavailable_when_down(), self._backends.engine.begin() as connection:
                store.give_back(connection, self._owner, unbegun)
        except Unavailable as error:
            logger.warning("what was not begun waits for its lease to end: %s", error)
        self._leaving.set()
        self._finished.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    # Claiming

    def _crowded(self, starts: dict[AttemptKey, ExecutionStart]) -> set[AttemptKey]:
        """Attempts of workflows that already have their share here: more waiting than there is room for others."""
        room = self.room()
        taken: dict[UUID, int] = {}
        crowded = set()
        for key, start in starts.items():
            count = taken.get(start.workflow_id)
            if count is None:
                count = self._pool.waiting(start.workflow_id)
            if count >= min(self._share, room):
                crowded.add(key)
            else:
                room -= 1
                count += 1
            taken[start.workflow_id] = count
        return crowded

    def _claim_and_run(self, starts: dict[AttemptKey, ExecutionStart]) -> None:
        if not starts:
            return
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            claims = store.claim(connection, list(starts), owner=self._owner, lease=self._lease)
            versions = self._plans.get(connection, {claim.version_id for claim in claims if claim.version_id})
            large = [claim.key for claim in claims if starts[claim.key].by_reference]
            seen = self._starts.contexts(connection, large) if large else {}
        for claim in claims:
            version = versions.get(claim.version_id) if claim.version_id else None
            start = starts[claim.key]
            if claim.key in seen:
                start = _with_context(start, seen[claim.key][0].context)
            self._submit(start, claim, version)

    def _submit(self, start: ExecutionStart, claim: Claim, version: Version | None) -> None:
        self._held[claim.key] = start
        self._pool.submit(start.workflow_id, self._task(claim.key, StepRun(start, version)))

    # Running

    def _task(self, key: AttemptKey, run: StepRun) -> Callable[[], None]:
        def task() -> None:
            started_at = datetime.now(UTC)
            self._finished.put(_Finished(run.start, self._outcome(key, run), started_at))

        return task

    def _outcome(self, key: AttemptKey, run: StepRun) -> Outcome:
        """Whatever happens there is one: an attempt without would be held for ever."""
        try:
            self._begun[key] = time.monotonic() + self._step_runner.time_limit(run) + _OVERTIME_SECONDS
            return self._step_runner.run(run)
        except BaseException as error:  # noqa: BLE001
            # Not the error itself: its text may hold a secret.
            what = f"{type(error).__name__} while FlowForge ran the step"
            logger.error("%s\n%s", what, "".join(traceback.format_tb(error.__traceback__)))
            return Outcome(failure=Failure(what, permanent=True))

    # Handing in

    def _watch(self, work: Callable[[], None]) -> None:
        """A thread that died silently would leave steps held, and not begun, for ever: the process ends with it, its
        supervisor starts another, and the leases run out."""
        try:
            work()
        except BaseException as error:
            logger.exception("the executor cannot go on without its thread")
            self._broken = error

    def _hand_in_results(self) -> None:
        batch: list[_Finished] = []
        pause = 0.1
        while True:
            if not batch:
                first = self._finished.get()
                if first is None:
                    return
                batch.append(first)
            last = self._gather(batch)
            try:
                self._hand_in_surely(batch)
                pause = 0.1
            except Unavailable as error:
                logger.warning("%d results wait to be handed in: %s", len(batch), error)
                if self._leaving.wait(pause):
                    return  # their leases end, and they are run again
                pause = min(pause * 2, 5.0)
            if last and not batch:
                return

    def _gather(self, batch: list[_Finished]) -> bool:
        """Adds what has gathered; True when nothing more will come."""
        while len(batch) < 500:
            try:
                one = self._finished.get_nowait()
            except queue.Empty:
                return False
            if one is None:
                return True
            batch.append(one)
        return False

    def _hand_in_surely(self, batch: list[_Finished]) -> None:
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

    def _hand_in_alone(self, one: _Finished) -> None:
        """A result that cannot be stored for what it holds is a failure."""
        try:
            self._hand_in([one])
        except Unavailable:
            raise
        except Exception as error:
            logger.exception("a result could not be stored")
            failure = Failure(f"the step ran, but its result could not be stored: {type(error).__name__}", True)
            self._hand_in([replace(one, outcome=Outcome(failure=failure))])

    def _hand_in(self, batch: Sequence[_Finished]) -> None:
        rows = [_result_row(one) for one in batch]
        with unavailable_when_down(), self._backends.engine.begin() as connection:
            counted = store.hand_in(connection, self._owner, rows)
        for one in batch:
            self._held.pop(_key(one.start), None)
            self._begun.pop(_key(one.start), None)
        try:
            self._backends.bus.publish([_result_message(one) for one in batch if _key(one.start) in counted])
        except Unavailable as error:
            logger.warning("%d results are in PostgreSQL, but not announced: %s", len(counted), error)
        except Exception:
            logger.exception("%d results are in PostgreSQL, but could not be announced", len(counted))

    def _keep_leases(self) -> None:
        while not self._leaving.wait(self._lease / 3):
            self._give_up_overtime()
            try:
                with unavailable_when_down(), self._backends.engine.begin() as connection:
                    store.extend_leases(connection, self._owner, list(self._held), self._lease)
            except Unavailable as error:
                logger.warning("leases could not be extended: %s", error)

    def _give_up_overtime(self) -> None:
        """A connector that ignores its time limit cannot be stopped, but nobody has to wait for it."""
        for key, until in list(self._begun.items()):
            start = self._held.get(key)
            if time.monotonic() > until and start is not None:
                self._begun.pop(key, None)
                failure = Failure("the step did not end within its time limit")
                self._finished.put(_Finished(start, Outcome(failure=failure), datetime.now(UTC)))


def _with_context(start: ExecutionStart, context: dict[str, Any]) -> ExecutionStart:
    return start.model_copy(update={"trigger_payload": context.get("trigger") or {}, "context": context})


def _key(message: Any) -> AttemptKey:
    return (message.execution_id, message.step_index, message.iteration, message.attempt)


def _result_row(one: _Finished) -> dict[str, Any]:
    failure = one.outcome.failure
    return {
        "execution_id": one.start.execution_id,
        "step_index": one.start.step_index,
        "iteration": one.start.iteration,
        "attempt": one.start.attempt,
        "succeeded": failure is None,
        "output": one.outcome.output if failure is None else None,
        "error": failure and failure.as_json(),
    }


def _result_message(one: _Finished) -> Message:
    failure = one.outcome.failure
    result = ExecutionResult(
        execution_id=one.start.execution_id,
        workflow_id=one.start.workflow_id,
        user_id=one.start.user_id,
        step_index=one.start.step_index,
        status="FAILURE" if failure else "SUCCESS",
        output=None if failure else one.outcome.output,
        error_message=failure.message if failure else None,
        iteration=one.start.iteration,
        attempt=one.start.attempt,
        permanent=failure.permanent if failure else None,
        retry_after=failure.retry_after if failure else None,
        started_at=one.started_at,
        timestamp=datetime.now(UTC),
    )
    return Message.of(events.EXECUTION_RESULT, result)
