"""Consumers of topics in processes of their own, for tests that kill them."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.context import SpawnProcess

from flowforge.db.tables import ExecutionRow
from flowforge.engine.executor import Executor
from flowforge.engine.intake import NewEvent
from flowforge.engine.orchestrator import Orchestrator
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.pipeline import Pipeline, working
from tests.waiting import eventually

_CONSUMERS = {"executor": Executor, "orchestrator": Orchestrator}


def _consume(settings: Settings, role: str) -> None:
    """Runs until it is killed."""
    with working(Backends(settings, role), _CONSUMERS[role]):
        threading.Event().wait()


def started(settings: Settings, role: str = "executor") -> SpawnProcess:
    """`role`: executor or orchestrator."""
    process = multiprocessing.get_context("spawn").Process(target=_consume, args=(settings, role), daemon=True)
    process.start()
    return process


def kill(process: SpawnProcess) -> None:
    process.kill()
    process.join()


def end_of(event: NewEvent, pipeline: Pipeline, settings: Settings, share: Callable[[], float]) -> ExecutionRow:
    """The event's execution, when it is over. Its executor and its orchestrator are killed in turns, twice each: as the
    `share` of its work that is done passes each fifth."""
    running = {role: started(settings, role) for role in _CONSUMERS}
    for fifth, role in enumerate((*_CONSUMERS, *_CONSUMERS), 1):
        eventually(lambda fifth=fifth: pipeline.resend() and share() > fifth / 5, seconds=60)  # type: ignore[misc]
        kill(running[role])
        running[role] = started(settings, role)
    over: ExecutionRow = eventually(lambda: pipeline.resend() and pipeline.over(event.event_id), seconds=120, every=0.5)
    for process in running.values():
        kill(process)
    return over
