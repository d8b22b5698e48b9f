"""Throughput and latency of workflows of HTTP calls: an open loop of 20 calls a second, and closed loops."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable

from bench.calling import Calling, calling, percentile
from bench.load import Load
from bench.processes import REST, SHOWN, used_seconds
from bench.product import Product

SECONDS = 8.0
RATE = 20
"""Calls a second in the open loop."""
CLIENTS = (1, 10, 50)
STEPS = (1, 5)


async def open_loop(product: Product) -> None:
    """Calls at a rate, whether the ones before are answered or not: the latency of a workflow of one call."""
    async with calling(product, product.register()) as one:
        _print_head()
        await _row(f"open loop, {RATE}/s", product, one, one.generator.open(RATE, SECONDS))


async def closed_loops(product: Product) -> None:
    """Clients that call again as soon as they are answered, until the backlog is worked off: throughput."""
    headers = product.register()
    for steps in STEPS:
        async with calling(product, headers, steps) as one:
            print(f"{steps} HTTP calls")
            _print_head()
            for clients in CLIENTS:
                await _row(f"{clients} clients", product, one, one.generator.closed(clients, SECONDS))


def _print_head() -> None:
    columns = f"{'accepted/s':>11}{'completed/s':>12}{'answer p50':>12}{'p99':>7}{'to receiver p50':>17}"
    print(f"{'load':<18}{columns}{'p95':>9}{'p99':>9}   ms")


async def _row(name: str, product: Product, one: Calling, sending: Awaitable[Load]) -> None:
    used, begun = used_seconds(product), time.perf_counter()
    outcome = await one.outcome(sending)
    elapsed = time.perf_counter() - begun
    print(
        f"{name:<18}{outcome.accepted:>11.1f}{outcome.completed:>12.1f}"
        f"{statistics.median(outcome.answers):>12.1f}{percentile(outcome.answers, 99):>7.1f}"
        f"{statistics.median(outcome.waits):>17.1f}{percentile(outcome.waits, 95):>9.1f}"
        f"{percentile(outcome.waits, 99):>9.1f}",
        flush=True,
    )
    shares = {name: (seconds - used[name]) / elapsed * 100 for name, seconds in used_seconds(product).items()}
    print("    CPU: " + ", ".join(f"{name} {shares[name]:.0f} %" for name in (*SHOWN, REST)))
