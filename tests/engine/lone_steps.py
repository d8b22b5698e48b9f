"""Steps that run on their event loop without an executor around them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.db.attempt_rows import AttemptKey
from flowforge.engine.handing_in import AttemptCollector, Finished
from flowforge.engine.held_attempts import HeldAttempts
from flowforge.engine.leases import Instant
from flowforge.engine.running_steps import ClaimedStep, RunningSteps, holders_of
from flowforge.engine.step_memory import HeldMemory
from flowforge.engine.step_runner import StepRun, key_of
from flowforge.events import ExecutionStart
from flowforge.ids import uuid7
from flowforge.wiring import Backends


class Collected:
    """Takes what the collector would."""

    def __init__(self) -> None:
        self.results: list[Finished] = []
        self.beginning: Future[bool] = Future()
        """What PostgreSQL says of those that ask before they begin."""

    def add(self, finished: Finished) -> None:
        self.results.append(finished)

    def begin(self, key: AttemptKey) -> Future[bool]:
        return self.beginning


class LoneSteps:
    def __init__(self, backends: Backends, catalog: Catalog | None = None, most_bytes: int = 1 << 30) -> None:
        self.held = HeldAttempts(most_bytes)
        self.collected = Collected()
        self.catalog = catalog or load_catalog()
        collector = cast(AttemptCollector, self.collected)
        self.running = RunningSteps(backends, self.catalog, self.held, collector, most_waiting=0, lease=3_600)

    def claimed(
        self, action_type: str, config: Mapping[str, Any], *, workflow: UUID | None = None, is_noted: bool = True
    ) -> ClaimedStep:
        """A step, of a workflow of its own if none is named, that has been claimed. `is_noted`: see ClaimedStep."""
        start = ExecutionStart(
            execution_id=uuid7(),
            workflow_id=workflow or uuid7(),
            user_id=uuid7(),
            step_index=0,
            action_type=action_type,
            action_config=dict(config),
            trigger_payload={"body": {"order": 17}},
            attempt=1,
            timestamp=datetime.now(UTC),
        )
        self.held.add(key_of(start), holders_of(start), 1_000, Instant.now())
        kind = self.running.kind_of(action_type)
        memory = HeldMemory(self.held, key_of(start))
        return ClaimedStep(StepRun(start, None, executor="test", memory=memory), kind, is_noted)

    def errors(self) -> list[str]:
        """Of those that have ended."""
        failures = [one.outcome.failure for one in self.collected.results]
        return [failure.message if failure else "" for failure in failures]


@contextmanager
def lone_steps(backends: Backends, catalog: Catalog | None = None, most_bytes: int = 1 << 30) -> Iterator[LoneSteps]:
    steps = LoneSteps(backends, catalog, most_bytes)
    thread = threading.Thread(target=steps.running.run, name="steps")
    thread.start()
    try:
        yield steps
    finally:
        steps.running.close()
        thread.join(30)
    assert not thread.is_alive()
