"""The executor: takes execution.start, claims the attempt in PostgreSQL, runs the connector, hands in the result.

A message is acknowledged as soon as the attempt is claimed: from then on the lease in PostgreSQL says who has it, and
a lease that is not extended gives it to another. What there is no room for is parked in the table. Claims and messages
go in batches, like results (flowforge.engine.handing_in).

Nothing begins under a lease that may have run out. PostgreSQL is told of every call that begins: before it begins where
the call needs care; else with the claim, where a place is free for it, or with the next heartbeat.

Three threads work beside the runner's: one runs the steps (flowforge.engine.running_steps), one hands in their results,
one keeps their leases.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from uuid import UUID

from flowforge import events
from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.errors import ConnectorError
from flowforge.db import attempts_store
from flowforge.db.attempt_rows import AttemptKey, Lease, as_plain
from flowforge.db.attempts_store import Claim, WantedAttempt
from flowforge.db.autocommit import autocommitting
from flowforge.db.engine import Connection, transaction, unavailable_when_down
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Received
from flowforge.engine.failure_reason import reason_of
from flowforge.engine.fair_queue import Admission
from flowforge.engine.going_on import GoingOn, NextStep
from flowforge.engine.handing_in import AttemptCollector
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.leases import Instant, LeaseTerms
from flowforge.engine.plans import Version
from flowforge.engine.run_factory import RunFactory
from flowforge.engine.running_steps import ClaimedStep, RunningSteps, WantedStep, holders_of
from flowforge.engine.start_messages import Admit
from flowforge.engine.step_memory import HeldMemory
from flowforge.engine.step_runner import StepRun, key_of
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.events import ExecutionStart, TopicMessage
from flowforge.fair_shares import Holders
from flowforge.ids import member_name
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_LOOK_FOR_PARKED_SECONDS = 0.02
"""While something is parked; other executors may park at any time, hence a look now and then in any case."""
_IDLE_SECONDS = 1.0
_CROWDED_SECONDS = 0.25
_STANDSTILL_SECONDS = 30.0
"""For which the loop of the steps may be busy with one thing: far more than anything ought to take there."""
_SECONDS_TO_END = 5.0
"""For a thread that was told to."""
_NEWCOMERS = 16
"""Parked steps that are looked at where many others wait here."""
_WAITING_PER_THREAD = 16
"""Steps that may wait for their turn, for each thread. What goes through the table costs more, so a backlog of a few
seconds waits here."""


@dataclass(frozen=True, slots=True)
class _Start:
    """An attempt's message, and its bytes of JSON."""

    message: ExecutionStart
    size: int


Starts = Mapping[AttemptKey, _Start]


class Executor:
    name = "executor"
    topics = (events.EXECUTION_START,)
    pace = 0.0
    loads_references = False
    """A step that begins loads its own."""

    def __init__(self, backends: Backends, catalog: Catalog | None = None) -> None:
        settings = backends.settings
        self.group = settings.group_executor
        self._backends = backends
        self._owner = member_name(self.name)
        self._lease = LeaseTerms.within(settings.step_lease_seconds)
        catalog = catalog or load_catalog()
        runs = RunFactory(backends, catalog)
        self._plans = runs.plans
        self._starts = runs.starts
        self._most_waiting = settings.executor_threads * _WAITING_PER_THREAD
        self._share = max(self._most_waiting // 2, 1)
        self._most_held = settings.executor_calls + self._most_waiting
        self._parked = True
        self._served_last: UUID | None = None
        """The workflow that was the last to have its turn with what is parked."""
        self._next_look = 0.0
        self._held = HeldAttempts(settings.executor_held_bytes)
        lease = Lease(self._owner, self._lease.runs)
        going_on = GoingOn(backends, runs, lease, self._look_for_room)
        self._collector = AttemptCollector(backends, self._held, lease, going_on, self._begin_claimed)
        self._steps = RunningSteps(
            backends, catalog, self._held, self._collector, most_waiting=self._most_waiting, lease=self._lease.runs
        )
        self._is_stopping = False
        self._leaving = threading.Event()
        self._broken: BaseException | None = None
        backends.renewals.settle_quietly()
        self._running = self._started("steps", self._steps.run)
        self._writing = [
            self._started("results", self._collector.run),
            self._started("leases", self._keep_leases),
        ]

    @property
    def patience(self) -> float:
        return _LOOK_FOR_PARKED_SECONDS if self._parked else _IDLE_SECONDS

    def room(self) -> int:
        if self._held.bytes_left <= 0:
            return 0
        return max(0, min(self._most_waiting, self._most_held - len(self._held)))

    def handle(self, received: Sequence[Received]) -> None:
        starts = {
            key_of(one.message): _Start(one.message, one.size(loaded=False))
            for one in received
            if isinstance(one.message, ExecutionStart) and not one.message.claimed
        }
        admitted, admissions = self._admitted(starts)
        self._claim_and_run(admitted, admissions)
        self._park(starts.keys() - admitted.keys())

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """Fails a step that cannot be begun: it would be redelivered for ever."""
        if isinstance(message, ExecutionStart):
            attempts_store.refuse(connection, key_of(message), reason_of(error))
        return PostCommit()

    def tick(self) -> None:
        """Takes parked attempts when there is room for them again; never so many that none is left. Where hardly any
        is, workflows of which nothing waits here have their turn all the same: their steps may begin at once."""
        if self._broken is not None:
            raise RuntimeError("a thread of the executor died") from self._broken
        if time.monotonic() < self._next_look or not self.room():
            return
        shares = self._steps.shares_of_waiting()
        is_crowded = shares.free < max(1, self._share // 8)
        room = _NEWCOMERS if is_crowded else shares.free
        busy = 1 if is_crowded else min(self._share // 2, room)
        full = [id_ for id_, held in shares.held.items() if isinstance(id_, UUID) and held >= busy]
        with transaction(self._backends.engine) as connection:
            found = attempts_store.find_parked(
                connection, full=full, after=self._served_last, each=max(1, room // 4), limit=max(1, room // 2)
            )
        bytes_ = self._held.shares_of_bytes()
        fitting = [one for one in found if bytes_.have_room((one.workflow_id, one.user_id))]
        self._parked = bool(found or full)
        is_crowded |= bool(found) and not fitting
        self._next_look = time.monotonic() + (_CROWDED_SECONDS if is_crowded else self.patience)
        if found:
            self._served_last = list(dict.fromkeys(parked.workflow_id for parked in found))[-1]
        self._begin_parked(
            [one for one in fitting if is_crowded or shares.take_if_room((one.workflow_id, one.user_id))]
        )

    def stop(self) -> None:
        """Gives back what has not begun, lets running steps end for DRAIN_SECONDS, and hands in their results. For what
        runs longer it is as if the executor had died."""
        self._is_stopping = True
        self._steps.stop()
        self._give_back(self._held.let_go_unbegun())
        self._steps.drain(self._backends.settings.drain_seconds)
        self._steps.close()
        self._running.join(_SECONDS_TO_END)
        self._leaving.set()
        self._collector.close()
        for thread in self._writing:
            thread.join(_SECONDS_TO_END)
        self._give_back(self._held.let_go_unbegun())  # claimed while it was told to stop

    def _give_back(self, keys: Sequence[AttemptKey]) -> None:
        if not keys:
            return
        try:
            with self._held.rows, transaction(self._backends.engine) as connection:
                attempts_store.give_back(connection, self._owner, keys)
        except (Unavailable, TooMuchAtOnce) as error:
            logger.warning("what was not begun waits for its lease to end: %s", error)

    # Claiming

    def _park(self, crowded: Collection[AttemptKey]) -> None:
        """Leaves attempts in the table whose workflows, or accounts, already have their share here."""
        if crowded:
            with transaction(self._backends.engine) as connection:
                attempts_store.park(connection, list(crowded))
            self._parked = True

    def _begin_parked(self, keys: Sequence[AttemptKey]) -> None:
        """Begins parked attempts. An attempt that makes the others fail with it is found, and fails."""
        if not keys:
            return
        try:
            with transaction(self._backends.engine) as connection:
                messages = self._starts.remake(connection, keys)
            starts = [_Start(ExecutionStart.decode(message.value), len(message.value)) for message in messages]
            remade = {key_of(start.message): start for start in starts}
            self._claim_and_run(*self._admitted(remade), in_order=False)
        except Unavailable:
            raise
        except Exception as error:
            logger.exception("%d parked steps could not be begun", len(keys))
            self._begin_alone(keys, error)

    def _begin_alone(self, keys: Sequence[AttemptKey], error: Exception) -> None:
        if len(keys) > 1:
            for key in keys:
                self._begin_parked([key])
            return
        with transaction(self._backends.engine) as connection:
            attempts_store.refuse(connection, keys[0], reason_of(error))

    def _admitted(self, starts: Starts) -> tuple[Starts, Mapping[AttemptKey, Admission]]:
        """Those for which there is room, and how they are admitted."""
        bytes_ = self._held.shares_of_bytes()
        fitting = [key for key, start in starts.items() if bytes_.take_if_room(holders_of(start.message), start.size)]
        admissions = self._steps.admit([self._steps.wanted(starts[key].message) for key in fitting])
        admitted = {key: one for key, one in zip(fitting, admissions, strict=True) if one is not Admission.CROWDED}
        return {key: starts[key] for key in admitted}, admitted

    def _claim_and_run(
        self, starts: Starts, admissions: Mapping[AttemptKey, Admission], *, in_order: bool = True
    ) -> None:
        """`in_order`: what is parked of a workflow goes first; what comes after it is parked, too."""
        if not starts:
            return
        wanted = {key: _wanted(key, admissions[key]) for key in starts}
        leased_at = Instant.now()
        with unavailable_when_down(), autocommitting(self._backends.engine) as connection:
            claims = attempts_store.claim(
                connection, list(wanted.values()), owner=self._owner, lease=self._lease.runs, in_order=in_order
            )
            versions = self._plans.get(connection, {claim.version_id for claim in claims if claim.version_id})
        self._parked = self._parked or len(claims) < len(wanted)
        steps = []
        for claim in claims:
            version = versions.get(claim.version_id) if claim.version_id else None
            steps.append(self._hold(claim, starts[claim.key], version, leased_at))
        self._steps.submit(steps)

    def _hold(self, claim: Claim, start: _Start, version: Version | None, leased_at: Instant) -> ClaimedStep:
        self._held.add(claim.key, holders_of(start.message), start.size, leased_at)
        kind = self._steps.kind_of(start.message.action_type)
        return ClaimedStep(self._run_of(claim, start, version), kind, is_noted=not claim.needs_care)

    def _run_of(self, claim: Claim, start: _Start, version: Version | None) -> StepRun:
        load = partial(self._load_data, claim.key) if start.message.by_reference else None
        memory = HeldMemory(self._held, claim.key)
        return StepRun(
            start.message,
            version,
            claim.repeats,
            load,
            executor=self._owner,
            size=start.size,
            is_awaited=claim.is_awaited,
            memory=memory,
        )

    def _load_data(self, key: AttemptKey) -> JsonObject:
        """Loads what a step sees, where that was too large to come with its message. Raises ConnectorError."""
        with transaction(self._backends.engine) as connection:
            found = self._starts.load(connection, [key])
        if key not in found:
            raise ConnectorError("the execution is over", permanent=True)
        return found[key].context.context

    # Going on, from the thread of the results

    def _look_for_room(self) -> Admit:
        """Tells what becomes of one step after the other that follows one which has ended here. It goes before what
        waits of its workflow, or is parked: executions that have begun come to their end."""
        bytes_, follow_up = self._held.shares_of_bytes(), self._steps.follow_ups()

        def admit(holders: Holders, action_type: str) -> Admission:
            if self._is_stopping or not bytes_.have_room(holders):
                return Admission.CROWDED
            return follow_up(WantedStep(holders, self._steps.kind_of(action_type)))

        return admit

    def _begin_claimed(self, steps: Sequence[NextStep], leased_at: Instant) -> None:
        self._steps.submit([self._claimed_step(step, leased_at) for step in steps], ahead=True)

    def _claimed_step(self, step: NextStep, leased_at: Instant) -> ClaimedStep:
        start = _Start(ExecutionStart.decode(step.message.value), len(step.message.value))
        found = step.version.plan.step(start.message.step_index)
        needs_care = found is None or self._starts.fails_after_crash(found)
        claim = Claim(key_of(start.message), step.version.id, None, needs_care, is_awaited=False)
        return self._hold(claim, start, step.version, leased_at)

    # Threads

    def _started(self, name: str, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=self._watch, args=(work,), name=name, daemon=True)
        thread.start()
        return thread

    def _watch(self, work: Callable[[], None]) -> None:
        """A thread that died silently would leave steps held, and not begun, for ever: the process ends with it, its
        supervisor starts another, and the leases run out."""
        try:
            work()
        except BaseException as error:
            logger.exception("the executor cannot go on without its thread")
            self._broken = error

    def _keep_leases(self) -> None:
        while not self._leaving.wait(self._lease.heartbeat):
            self._require_turning_loop()
            leased_at, held = Instant.now(), self._held.all()
            if not held:
                continue
            try:
                with self._held.rows, transaction(self._backends.engine) as connection:
                    cancelled = attempts_store.drop_cancelled(connection, self._owner, held)
                    extended = attempts_store.extend_leases(connection, self._owner, held, self._lease.runs)
                self._held.extend(extended, leased_at)
                self._held.doubt(set(map(as_plain, held)) - extended)
                if cancelled:
                    self._steps.cancel(cancelled)
            except (Unavailable, TooMuchAtOnce) as error:
                logger.warning("leases could not be extended: %s", error)

    def _require_turning_loop(self) -> None:
        """Raises RuntimeError where the loop of the steps stands still: leases would be kept for what does not go on.
        Heartbeats are counted rather than seconds, since a process that has slept has done nothing meanwhile."""
        if self._steps.ask_for_sign() > max(2, ceil(_STANDSTILL_SECONDS / self._lease.heartbeat)):
            raise RuntimeError("the loop of the steps stands still")


def _wanted(key: AttemptKey, admission: Admission) -> WantedAttempt:
    begins = admission is Admission.BEGINS
    return WantedAttempt(key.execution_id, key.step_index, key.iteration, key.attempt, begins)
