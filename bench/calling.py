"""A workflow of HTTP calls that a webhook starts, who calls it, and what arrives."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.load import Generator, Load
from bench.product import Product
from bench.receiver import Receiver

WARM_UP_CLIENTS, WARM_UP_SECONDS = 4, 2.0
DRAIN_SECONDS = 120.0


@dataclass(frozen=True)
class Outcome:
    """What a load led to; times in milliseconds, sorted."""

    accepted: float
    """Calls a second that the webhook took."""
    completed: float
    """The same until the last step of the last one had called: the backlog counts."""
    answers: Sequence[float]
    """Of the webhook."""
    waits: Sequence[float]
    """From a call of the webhook to that of the first receiver."""


@dataclass(frozen=True)
class Calling:
    """A workflow, its callers, and the receiver of its steps."""

    generator: Generator
    receiver: Receiver
    steps: int

    async def outcome(self, sending: Awaitable[Load]) -> Outcome:
        """Awaits a load of `generator`, and all that it leads to."""
        done, begun = self.receiver.calls, time.perf_counter()
        load = await sending
        sent = time.perf_counter() - begun
        await self.drained(done + len(load.sent) * self.steps)
        elapsed = self.receiver.last_call - begun
        return Outcome(
            accepted=len(load.sent) / sent,
            completed=len(load.sent) / elapsed,
            answers=sorted(seconds * 1000 for seconds in load.answered),
            waits=sorted((self.receiver.arrived[order] - moment) * 1000 for order, moment in load.sent.items()),
        )

    async def drained(self, calls: int) -> None:
        """Waits until the receiver has had so many calls in all."""
        deadline = time.perf_counter() + DRAIN_SECONDS
        while self.receiver.calls < calls:
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{calls - self.receiver.calls} calls never arrived")
            await asyncio.sleep(0.02)

    async def warm_up(self) -> None:
        await self.outcome(self.generator.closed(WARM_UP_CLIENTS, WARM_UP_SECONDS))
        await asyncio.sleep(1)


@asynccontextmanager
async def calling(product: Product, headers: dict[str, str], steps: int = 1) -> AsyncIterator[Calling]:
    """A workflow of so many calls, called often enough to be warm."""
    receiver = Receiver()
    await receiver.start()
    _, path = product.webhook_workflow(headers, [receiver.action()] * steps)
    made = Calling(Generator("127.0.0.1", product.port, path), receiver, steps)
    await made.warm_up()
    yield made
    await receiver.stop()


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]
