"""The executor: takes execution.start, claims the attempt in PostgreSQL, runs the connector, hands in the result.

A message is acknowledged as soon as the attempt is claimed: from then on the lease in PostgreSQL says who has it, and
a lease that is not extended gives it to another. What there is no room for is parked in the table. Claims and messages
go in batches, like results (flowforge.engine.handing_in).

Nothing begins under a lease that may have run out. PostgreSQL is told of every call that begins: with the claim where a
thread is free for it; otherwise with the next heartbeat, or before it begins where the call needs care.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from flowforge import events
from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.connectors.errors import ConnectorError
from flowforge.db import attempts_store
from flowforge.db.attempt_rows import AttemptKey, as_plain
from flowforge.db.attempts_store import WantedAttempt
from flowforge.db.engine import Connection, transaction
from flowforge.engine.completion import PostCommit
from flowforge.engine.consumer import Received
from flowforge.engine.failure_reason import reason_of
from flowforge.engine.fair_pool import FairPool
from flowforge.engine.handing_in import AttemptCollector, Finished
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.leases import Instant, LeaseTerms
from flowforge.engine.plans import Plans
from flowforge.engine.start_messages import StartMessages
from flowforge.engine.step_runner import Outcome, StepRun, StepRunner, key_of
from flowforge.errors import TooMuchAtOnce, Unavailable
from flowforge.events import ExecutionStart, TopicMessage
from flowforge.execution.retry import Failure
from flowforge.fair_shares import Holders, Shares
from flowforge.ids import member_name
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

_LOOK_FOR_PARKED_SECONDS = 0.02
"""While something is parked; other executors may park at any time, hence a look now and then in any case."""
_IDLE_SECONDS = 1.0
_OVERTIME_SECONDS = 5.0
"""Excess over a step's time limit after which its lease is let go: connectors end by themselves before that."""

_HELD_PER_THREAD = 16
"""Attempts that are held for each thread. What goes through the table costs more, so a backlog of a few seconds waits
here."""
_MOST_BYTES_HELD = 16 * 1024 * 1024
"""JSON of the attempts that are held; small objects take up to 25 times as much in Python."""


@dataclass(frozen=True, slots=True)
class _Start:
    """An attempt's message, and its bytes of JSON."""

    message: ExecutionStart
    size: int


Starts = Mapping[AttemptKey, _Start]


def _holders(start: ExecutionStart) -> Holders:
    return start.workflow_id, start.user_id


def _within_shares(attempts: Mapping[AttemptKey, Holders], shares: Shares) -> list[AttemptKey]:
    """Takes places for attempts, in this order; returns those whose holders had room for them."""
    return [key for key, holders in attempts.items() if shares.take_if_room(holders)]


@dataclass(frozen=True, slots=True)
class _Task:
    """An attempt that waits for a thread."""

    key: AttemptKey
    run: Callable[[], None]

    def __call__(self) -> None:
        self.run()


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
        self._plans = Plans()
        catalog = catalog or load_catalog()
        self._starts = StartMessages(settings, self._plans, catalog, backends.vault)
        self._step_runner = StepRunner(backends, catalog)
        self._capacity = settings.executor_threads * _HELD_PER_THREAD
        self._share = max(self._capacity // 2, 1)
        self._parked = True
        self._served_last: UUID | None = None
        """The workflow that was the last to have its turn with what is parked."""
        self._next_look = 0.0
        self._pool = FairPool(settings.executor_threads, settings.workflow_concurrency)
        self._held = HeldAttempts()
        self._collector = AttemptCollector(backends, self._owner, self._held, self._lease.runs)
        self._leaving = threading.Event()
        self._broken: BaseException | None = None
        backends.renewals.settle_quietly()
        self._threads = [self._thread("results", self._collector.run), self._thread("leases", self._keep_leases)]
        for thread in self._threads:
            thread.start()

    @property
    def patience(self) -> float:
        return _LOOK_FOR_PARKED_SECONDS if self._parked else _IDLE_SECONDS

    def room(self) -> int:
        if self._held.bytes >= _MOST_BYTES_HELD:
            return 0
        return max(0, self._capacity - self._pool.load)

    def handle(self, received: Sequence[Received]) -> None:
        starts = {
            key_of(one.message): _Start(one.message, one.size(loaded=False))
            for one in received
            if isinstance(one.message, ExecutionStart)
        }
        shares = self._pool.shares_of(self._capacity)
        admitted = _within_shares({key: _holders(start.message) for key, start in starts.items()}, shares)
        self._claim_and_run({key: starts[key] for key in admitted})
        self._park(starts.keys() - admitted)

    def give_up(self, connection: Connection, message: TopicMessage, error: Exception) -> PostCommit:
        """Fails a step that cannot be begun: it would be redelivered for ever."""
        if isinstance(message, ExecutionStart):
            attempts_store.refuse(connection, key_of(message), reason_of(error))
        return PostCommit()

    def tick(self) -> None:
        """Takes parked attempts when there is room for them again; never so many that none is left."""
        if self._broken is not None:
            raise RuntimeError("a thread of the executor died") from self._broken
        room = self.room()
        if time.monotonic() < self._next_look or room < max(1, self._share // 8):
            return
        shares = self._pool.shares_of(self._capacity)
        busy = min(self._share // 2, room)
        full = [id_ for id_, held in shares.held.items() if isinstance(id_, UUID) and held >= busy]
        with transaction(self._backends.engine) as connection:
            found = attempts_store.find_parked(
                connection, full=full, after=self._served_last, each=max(1, room // 4), limit=max(1, room // 2)
            )
        self._parked = bool(found or full)
        self._next_look = time.monotonic() + self.patience
        if found:
            self._served_last = list(dict.fromkeys(parked.workflow_id for parked in found))[-1]
        self._begin_parked(_within_shares({parked: (parked.workflow_id, parked.user_id) for parked in found}, shares))

    def stop(self) -> None:
        """Gives back what was not begun, lets running steps end for DRAIN_SECONDS, and hands in their results."""
        self._give_back([task.key for task in self._pool.stop() if isinstance(task, _Task)])
        self._pool.wait(self._backends.settings.drain_seconds)
        self._give_back(self._held.unbegun())
        self._leaving.set()
        self._collector.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _give_back(self, keys: Sequence[AttemptKey]) -> None:
        if not keys:
            return
        try:
            with transaction(self._backends.engine) as connection:
                attempts_store.give_back(connection, self._owner, keys)
        except Unavailable as error:
            logger.warning("what was not begun waits for its lease to end: %s", error)
        for key in keys:
            self._held.remove(key)

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
            self._claim_and_run({key_of(start.message): start for start in starts}, in_order=False)
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

    def _claim_and_run(self, starts: Starts, *, in_order: bool = True) -> None:
        """`in_order`: what is parked of a workflow goes first; what comes after it is parked, too."""
        if not starts:
            return
        wanted, leased_at = self._wanted(starts), Instant.now()
        with transaction(self._backends.engine) as connection:
            claims = attempts_store.claim(
                connection, list(wanted.values()), owner=self._owner, lease=self._lease.runs, in_order=in_order
            )
            versions = self._plans.get(connection, {claim.version_id for claim in claims if claim.version_id})
        self._parked = self._parked or len(claims) < len(wanted)
        for claim in claims:
            version = versions.get(claim.version_id) if claim.version_id else None
            start = starts[claim.key].message
            load = partial(self._load_data, claim.key) if start.by_reference else None
            self._held.add(claim.key, start, starts[claim.key].size, leased_at)
            is_noted = wanted[claim.key].begins or not claim.needs_care
            self._submit(claim.key, StepRun(start, version, claim.repeats, load, executor=self._owner), is_noted)

    def _wanted(self, starts: Starts) -> dict[AttemptKey, WantedAttempt]:
        begin = self._pool.begin_at_once([_holders(start.message) for start in starts.values()])
        return {
            key: WantedAttempt(key.execution_id, key.step_index, key.iteration, key.attempt, begins)
            for key, begins in zip(starts, begin, strict=True)
        }

    def _load_data(self, key: AttemptKey) -> JsonObject:
        """Loads what a step sees, where that was too large to come with its message. Raises ConnectorError."""
        with transaction(self._backends.engine) as connection:
            found = self._starts.load(connection, [key])
        if key not in found:
            raise ConnectorError("the execution is over", permanent=True)
        return found[key].context.context

    # Running

    def _submit(self, key: AttemptKey, run: StepRun, is_noted: bool) -> None:
        """`is_noted`: PostgreSQL holds that it begins, as far as it has to."""

        def task() -> None:
            if not self._may_begin(key, is_noted):
                self._held.remove(key)
                logger.warning("step %d of execution %s is not begun here any more", key.step_index, key.execution_id)
                return
            started_at = datetime.now(UTC)
            self._collector.add(Finished(run.start, self._outcome(key, run), started_at))

        self._pool.submit(_holders(run.start), _Task(key, task))

    def _may_begin(self, key: AttemptKey, is_noted: bool) -> bool:
        """Whether its call is this executor's to make. An executor that has slept asks PostgreSQL."""
        return (is_noted and self._held.is_leased(key, self._lease.runs)) or self._collector.begin(key)

    def _outcome(self, key: AttemptKey, run: StepRun) -> Outcome:
        """Runs the step. There is an outcome whatever happens: an attempt without one would be held for ever."""
        try:
            self._held.begin(key, self._step_runner.time_limit(run) + _OVERTIME_SECONDS)
            return self._step_runner.run(run)
        except BaseException as error:  # noqa: BLE001
            # Not the error itself: its text may hold a secret.
            what = f"{type(error).__name__} while FlowForge ran the step"
            logger.error("%s\n%s", what, "".join(traceback.format_tb(error.__traceback__)))
            return Outcome(failure=Failure(what, permanent=True))

    # Threads

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._watch, args=(work,), name=name, daemon=True)

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
            self._fail_overtime()
            leased_at, held = Instant.now(), self._held.all()
            try:
                with transaction(self._backends.engine) as connection:
                    extended = attempts_store.extend_leases(connection, self._owner, held, self._lease.runs)
                self._held.extend(extended, leased_at)
                self._held.doubt(set(map(as_plain, held)) - extended)
            except (Unavailable, TooMuchAtOnce) as error:
                logger.warning("leases could not be extended: %s", error)

    def _fail_overtime(self) -> None:
        """A connector that ignores its time limit cannot be stopped, but nobody has to wait for it."""
        failure = Failure("the step did not end within its time limit")
        for start in self._held.take_overtime():
            self._collector.add(Finished(start, Outcome(failure=failure), datetime.now(UTC)))
