"""The time of a step on the event loop runs from its turn, whatever keeps its connector from being run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.in_thread import SMALL_BYTES
from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector
from flowforge.engine.step_runner import StepRun, StepRunner
from flowforge.events import ExecutionStart
from flowforge.ids import uuid7
from flowforge.wiring import Backends

T = TypeVar("T")


class Config(ConnectorConfig):
    pass


@connector("LOOK", Config, title="Look", help="Tells its deadline.", icon="clock")
async def look(config: Config, context: StepContext) -> dict[str, Any]:
    return {"deadline": context.deadline}


def test_the_wait_for_a_thread_counts(backends: Backends) -> None:
    asked: list[float] = []

    async def when_one_is_free(work: Callable[[], T], /, *, computes: bool = False, signs: bool = False) -> T:
        asked.append(time.monotonic())
        await asyncio.sleep(0.2)
        return work()

    start = ExecutionStart(
        execution_id=uuid7(),
        workflow_id=uuid7(),
        user_id=uuid7(),
        step_index=0,
        action_type="LOOK",
        action_config={},
        trigger_payload={},
    )
    run, runner = StepRun(start, None, size=SMALL_BYTES + 1), StepRunner(backends, Catalog({look.type: look}, {}))
    outcome = asyncio.run(runner.run_on_loop(run, when_one_is_free))
    assert outcome.failure is None
    assert outcome.output["deadline"] <= asked[0] + runner.time_limit(run)
