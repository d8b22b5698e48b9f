"""What a workflow waits while the receivers of others hang."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence

from bench.calling import calling, percentile
from bench.load import Generator
from bench.product import Product
from bench.receiver import Receiver

WORKFLOWS, CALLS = 50, 20
"""Those whose receiver never answers, and how often each is called: more often than one may call at once."""
RATE, SECONDS = 20, 8.0


async def innocent(product: Product) -> None:
    """An open loop of calls of a workflow whose receiver answers, before others hang and while they do."""
    headers = product.register()
    silent = Receiver(answers=False)
    await silent.start()
    async with calling(product, headers) as one:
        _print("nobody hangs", (await one.outcome(one.generator.open(RATE, SECONDS))).waits)
        for _ in range(WORKFLOWS):
            _, path = product.webhook_workflow(headers, [silent.action()])
            await Generator("127.0.0.1", product.port, path).times(1, CALLS)
        await asyncio.sleep(3)  # until nothing more can begin
        hang = f"{silent.calls:,} calls of {WORKFLOWS} workflows hang"
        _print(hang, (await one.outcome(one.generator.open(RATE, SECONDS))).waits)
    await silent.stop()


def _print(what: str, waits: Sequence[float]) -> None:
    print(
        f"{what:<36} webhook to receiver p50 {statistics.median(waits):.1f}, p99 {percentile(waits, 99):.1f},"
        f" longest {waits[-1]:.1f} ms",
        flush=True,
    )
