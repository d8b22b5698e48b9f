"""Consumers of topics in processes of their own, for tests that kill them."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.context import SpawnProcess

from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.pipeline import working

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
