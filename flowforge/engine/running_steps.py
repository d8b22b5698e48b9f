"""The steps that run in an executor: on one event loop, which a thread of its own turns.

A step whose connector is a coroutine function takes a place among the calls, and waits without a thread. Any other
takes a thread from its beginning to its end. What a coroutine must not do on the loop, since it blocks or computes for
long, is done in threads that are there for such work alone (flowforge.engine.offloading).

Other threads hand in steps, and tell it to end; what a step lives through happens on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.tools import make_loop_transport, on_loop
from flowforge.db.attempt_rows import AttemptKey
from flowforge.engine.fair_queue import Admission, FairQueue, Wanting
from flowforge.engine.finished import Finished
from flowforge.engine.handing_in import AttemptCollector
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.offloading import Offloading
from flowforge.engine.step_runner import Outcome, StepRun, StepRunner, key_of, log_with_frames
from flowforge.engine.threads import FairThreads, Threads
from flowforge.errors import Unavailable
from flowforge.events import ExecutionStart
from flowforge.execution.retry import Failure
from flowforge.fair_shares import Holders, Shares
from flowforge.wiring import Backends

logger = logging.getLogger(__name__)

Kind = Literal["call", "thread"]

_OVERTIME_SECONDS = 5.0
"""Excess over a step's time limit after which nobody waits for it any more: connectors end by themselves before
that."""
_LOOK_FOR_LATE_SECONDS = 1.0
_SECONDS_TO_END = 2.0
"""For a call that is cancelled."""

_LOOK_UP_THREADS = 64
"""Each waits for a name server."""
_LOOK_UPS_AT_ONCE = (4, 8)
"""For a host, and for an account."""


@dataclass(frozen=True, slots=True, eq=False)
class ClaimedStep:
    """A step that this executor has claimed. `is_noted`: PostgreSQL holds that it begins, as far as it has to."""

    run: StepRun
    kind: Kind
    is_noted: bool

    @property
    def key(self) -> AttemptKey:
        return key_of(self.run.start)

    @property
    def holders(self) -> Holders:
        return holders_of(self.run.start)


@dataclass(slots=True, eq=False)
class _Life:
    """A step that has its turn."""

    step: ClaimedStep
    began: datetime
    """When its call did; before, when it had its turn."""
    late_at: float = math.inf
    """When nobody waits for it any more, by the clock of the loop; never before its call and after it."""


@dataclass(frozen=True, slots=True)
class WantedStep:
    """A step that may be claimed."""

    holders: Holders
    kind: Kind


class RunningSteps:
    """`most_waiting`: steps that may wait for their turn. `lease`: seconds for which a step may be begun."""

    def __init__(
        self,
        backends: Backends,
        catalog: Catalog,
        held: HeldAttempts,
        collector: AttemptCollector,
        *,
        most_waiting: int,
        lease: float,
    ) -> None:
        settings = backends.settings
        self._held = held
        self._collector = collector
        self._lease = lease
        look_ups = FairThreads(_LOOK_UP_THREADS, "look-up", _LOOK_UPS_AT_ONCE)
        self._transport = make_loop_transport(settings, look_ups.run)
        self._runner = StepRunner(backends, catalog, on_loop(backends.tools, self._transport, settings))
        places = {"call": settings.executor_calls, "thread": settings.executor_threads}
        self._queue: FairQueue[ClaimedStep] = FairQueue(places, (settings.workflow_concurrency,), most_waiting)
        self._functions = Threads(settings.executor_threads, "step")
        self._offloading = Offloading()
        self._loop = _new_loop()
        self._closing = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], _Life] = {}
        self._looking: asyncio.TimerHandle | None = None
        """Looks for what is late, while anything runs: a timer for each step would cost more."""
        self._signs_awaited = 0

    # From other threads

    def wanted(self, start: ExecutionStart) -> WantedStep:
        """The step of a message, as it would take a place."""
        return WantedStep(holders_of(start), self.kind_of(start.action_type))

    def kind_of(self, action_type: str) -> Kind:
        return "call" if self._runner.is_async(action_type) else "thread"

    def admit(self, wanted: Sequence[Wanting]) -> list[Admission]:
        """What becomes of steps that are claimed and submitted now."""
        return self._queue.admit(wanted)

    def follow_ups(self) -> Callable[[Wanting], Admission]:
        """Tells what becomes of one step after the other that follows one which has ended here, if it is submitted
        `ahead`. Crowded: any executor may have it."""
        return self._queue.follow_ups()

    def shares_of_waiting(self) -> Shares:
        """The places of steps that wait for their turn: a copy."""
        return self._queue.shares_of_waiting()

    def submit(self, steps: Sequence[ClaimedStep], *, ahead: bool = False) -> None:
        """Runs steps, each when its turn comes; their results go to the collector. `ahead`: before what waits of the
        same workflows."""
        if begin := self._queue.put(steps, ahead=ahead):
            self._tell(self._begin, begin)

    def cancel(self, keys: Collection[AttemptKey]) -> None:
        """Ends the calls of steps that nobody waits for any more. A function in a thread ends by itself; nothing of
        either is handed in."""
        self._tell(self._cancel, keys)

    def ask_for_sign(self) -> int:
        """Asks the loop for a sign that it turns; returns how often it has been asked since the last that it gave."""
        self._signs_awaited += 1
        self._tell(self._give_sign)
        return self._signs_awaited

    def run(self) -> None:
        """Turns the loop until `close`, in a thread of its own."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run_until_closed())
        finally:
            self._loop.close()

    def stop(self) -> None:
        """Lets no more turns come. What has its turn begins as long as it is held."""
        self._queue.close()

    def drain(self, seconds: float) -> None:
        """Waits for what runs, for so many seconds."""
        ends = self._wait(seconds)
        try:
            asyncio.run_coroutine_threadsafe(ends, self._loop).result(seconds + _OVERTIME_SECONDS)
        except TimeoutError:
            logger.warning("the loop of the steps does not answer")
        except RuntimeError:  # it is closed: nothing runs
            ends.close()

    def close(self) -> None:
        """Ends the calls that still run, and then `run`. They have no results: they are repeated, or not, as if the
        executor had died."""
        self._tell(self._closing.set)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nothing runs any more
            self._loop.call_soon_threadsafe(callback, *args)

    # On the loop

    def _give_sign(self) -> None:
        self._signs_awaited = 0

    def _begin(self, steps: Sequence[ClaimedStep]) -> None:
        for step in steps:
            life = _Life(step, datetime.now(UTC))
            task = self._loop.create_task(self._live(life), name="step")
            self._tasks[task] = life
            task.add_done_callback(self._end)
        if self._tasks and self._looking is None:
            self._looking = self._loop.call_later(_LOOK_FOR_LATE_SECONDS, self._end_late)

    def _end(self, task: asyncio.Task[None]) -> None:
        """Gives back the place of a step, however its task has ended: it may be cancelled before it has begun."""
        step = self._tasks.pop(task).step
        if not task.cancelled() and (error := task.exception()) is not None:
            _log_error("a step was not run", error)
            self._held.remove(step.key)  # its lease runs out, and it is run again
        self._begin(self._queue.give_back(step))

    async def _live(self, life: _Life) -> None:
        """The life of a step, from its turn to its result."""
        step, key = life.step, life.step.key
        is_sure = step.is_noted and self._held.is_leased(key, self._lease)
        # An executor that has slept asks PostgreSQL whether the call is still its own to make.
        is_ours = is_sure or await asyncio.wrap_future(self._collector.begin(key))
        if not (is_ours and self._held.begin(key)):
            self._held.remove(key)
            logger.warning("a step of execution %s is not begun here any more", key.execution_id)
            return
        life.began = datetime.now(UTC)
        life.late_at = self._loop.time() + self._runner.time_limit(step.run) + _OVERTIME_SECONDS
        outcome = await self._outcome(step)
        life.late_at = math.inf
        self._collector.add(Finished(step.run.start, outcome, life.began, step.run))

    async def _outcome(self, step: ClaimedStep) -> Outcome:
        """Runs the step. There is an outcome whatever happens, unless it is cancelled: an attempt without one would be
        held for ever."""
        try:
            if step.kind == "thread":
                return await self._functions.run(partial(self._runner.run, step.run))
            return await self._runner.run_on_loop(step.run, partial(self._offloading.run, step.holders))
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except Unavailable as error:
            return Outcome(failure=Failure(str(error)))
        except BaseException as error:  # noqa: BLE001
            what = f"{type(error).__name__} while FlowForge ran the step"
            _log_error(what, error)
            return Outcome(failure=Failure(what, permanent=True))

    def _end_late(self) -> None:
        """A connector that ignores its time limit cannot be stopped, but nobody has to wait for it. It keeps its place
        until it ends."""
        now = self._loop.time()
        for task, life in self._tasks.items():
            if life.late_at <= now:
                life.late_at = math.inf
                failure = Failure("the step did not end within its time limit")
                self._collector.add(Finished(life.step.run.start, Outcome(failure=failure), life.began))
                task.cancel()
        self._looking = None
        if self._tasks:
            self._looking = self._loop.call_later(_LOOK_FOR_LATE_SECONDS, self._end_late)

    def _cancel(self, keys: Collection[AttemptKey]) -> None:
        for key in keys:
            self._held.remove(key)
        for task, life in self._tasks.items():
            if life.step.key in keys:
                task.cancel()

    async def _wait(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _run_until_closed(self) -> None:
        self._loop.set_exception_handler(_log_unhandled)
        await self._closing.wait()
        calls = [task for task, life in self._tasks.items() if life.step.kind == "call"]
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls, timeout=_SECONDS_TO_END)
        await self._transport.close()


def holders_of(start: ExecutionStart) -> Holders:
    """Those for whom a step takes its place."""
    return start.workflow_id, start.user_id


def _log_unhandled(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Tells of an error that nobody handles, with nothing of what it is about: that may be a secret, or an address that
    holds one. Functions that still run when the loop is closed are left alone."""
    error = context.get("exception")
    if error is not None:
        _log_error("an error on the loop of the steps", error)
    elif not loop.is_closed():
        logger.error("on the loop of the steps: %s", context.get("message"))


def _log_error(what: str, error: BaseException) -> None:
    log_with_frames(f"{what}: {type(error).__name__}", error)


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop, where it is installed; asyncio's own elsewhere."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
