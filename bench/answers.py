"""How fast a webhook answers while the instance has half as much to do as it can."""

from __future__ import annotations

import statistics

from bench.calling import calling, percentile
from bench.product import Product

CLIENTS = 10
SECONDS = 8.0


async def at_half_the_rate(product: Product) -> None:
    """A closed loop says how much it can do, an open loop of half as many calls what the answers take."""
    async with calling(product, product.register()) as one:
        rate = (await one.outcome(one.generator.closed(CLIENTS, SECONDS))).completed / 2
        outcome = await one.outcome(one.generator.open(rate, SECONDS))
    print(
        f"{rate:.0f} calls/s, half of the closed rate: answers p50 {statistics.median(outcome.answers):.1f},"
        f" p99 {percentile(outcome.answers, 99):.1f}, longest {outcome.answers[-1]:.1f} ms"
    )
